"""One request to a Kubernetes API server and its answer; a refusal is one line with its status."""

import json
from collections.abc import Callable
from typing import Any

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from scripts.errors import RunError

Document = dict[str, Any]

REQUEST_SECONDS = 30
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
UNREACHED = 0


class ClusterError(RunError):
    """The API server refused with an HTTP `status`, or was not reached (`UNREACHED`)."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def sent(call: Callable[..., Any], *arguments: Any, **options: Any) -> Document:
    """The JSON object that the server answered; raises ClusterError."""
    try:
        answer = call(*arguments, serialize=False, _request_timeout=REQUEST_SECONDS, **options)
        content = json.loads(answer.data)
    except ApiException as error:
        raise ClusterError(_refusal(error), error.status or UNREACHED) from error
    except HTTPError as error:
        raise ClusterError(_cause(error), UNREACHED) from error
    except ValueError as error:
        raise ClusterError(
            "expected JSON, found something else: is this a Kubernetes API server?", UNREACHED
        ) from error
    if not isinstance(content, dict):
        raise ClusterError(f"expected a JSON object, found {type(content).__name__}", UNREACHED)
    return content


def _refusal(error: Any) -> str:
    """The message of the `Status` that came with it, on one line."""
    try:
        message = json.loads(error.body)["message"]
    except (KeyError, TypeError, ValueError):
        message = error.reason or "no reason given"
    return " ".join(f"{error.status or ''} {message}".split())


def _cause(error: HTTPError) -> str:
    """urllib3 wraps what happened into what it tried."""
    reason = getattr(error, "reason", None) or error
    return " ".join(str(reason).rpartition(": ")[2].split())
