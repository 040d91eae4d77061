"""How requests end, as metrics and traces say it."""

from collections.abc import Mapping
from typing import Literal

from serving.call import CLIENT_GONE
from serving.errors import NotOffered, ServiceError, leaves

Outcome = Literal["success", "client_error", "server_error", "cancelled"]

OK = "ok"
"""The code of a request without an error."""


def _of(error: type[ServiceError]) -> Outcome:
    """What is not offered (501) was asked for by mistake: the service did not fail."""
    return "server_error" if error.status >= 500 and not issubclass(error, NotOffered) else "client_error"


OUTCOMES: Mapping[str, Outcome] = {
    OK: "success",
    CLIENT_GONE: "cancelled",
    **{leaf.code: _of(leaf) for leaf in leaves()},
}
"""By code."""
