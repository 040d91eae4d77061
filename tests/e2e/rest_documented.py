"""What a server's `/openapi.json` says of its answers, and real answers held to that."""

import re
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator


class Document:
    """One server's own document."""

    def __init__(self, url: str) -> None:
        self.content: dict[str, Any] = httpx.get(f"{url}/openapi.json", timeout=30).json()

    def operations(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {each["operationId"]: each for path in self.content["paths"].values() for each in path.values()}

    def operation(self, answer: httpx.Response) -> dict[str, Any] | None:
        """What the request asked for, None where the document has no such path or method."""
        path, method = answer.request.url.path, answer.request.method.lower()
        for template, operations in self.content["paths"].items():
            if method in operations and re.fullmatch(re.sub(r"{\w+}", "[^/:]+", template), path):
                found: dict[str, Any] = operations[method]
                return found
        return None

    def differences(self, answer: httpx.Response) -> list[str]:
        """How an answer of an operation differs from what is told of it; nothing is told of other paths."""
        operation = self.operation(answer)
        if operation is None:
            return []
        told = operation["responses"].get(str(answer.status_code))
        kind = answer.headers["content-type"].split(";")[0]
        if told is None or kind not in told["content"]:
            return [f"{operation['operationId']} is not told to answer {answer.status_code} {kind}"]
        if not kind.endswith("json"):
            return []
        schema = {"components": self.content["components"], **told["content"][kind]["schema"]}
        return [f"{error.json_path}: {error.message}" for error in OAS31Validator(schema).iter_errors(answer.json())]


def example(operation: dict[str, Any], server: str) -> Any:
    """The answer that is told for this server, or for both."""
    (content, *_) = operation["responses"]["200"]["content"].values()
    examples = content.get("examples", {})
    (first, *_) = examples.values() or [{"value": None}]
    return examples.get(server, first)["value"]


def form(value: Any) -> Any:
    """A JSON value with kinds in place of what it says; a list by its first element."""
    if isinstance(value, dict):
        return {name: form(member) for name, member in value.items()}
    if isinstance(value, list):
        return [form(element) for element in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
