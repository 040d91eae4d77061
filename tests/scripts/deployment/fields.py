"""The fields of an object: what an API server compares and merges."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def bare(document: Document) -> Document:
    """Less what the server counts."""
    metadata = {
        key: value for key, value in document["metadata"].items() if key not in ("resourceVersion", "generation")
    }
    return document | {"metadata": metadata}


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Paths below `path`, such as .spec.replicas, and what stands there."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, f"{path}.{key}")
    else:
        yield path, value


def at(document: Any, path: str) -> Any:
    """What stands at a path of `leaves`, or None."""
    for key in path.strip(".").split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def merged(base: Document, patch: Document) -> Document:
    """RFC 7386."""
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(base[key] if isinstance(base.get(key), dict) else {}, value)
        else:
            result[key] = value
    return result
