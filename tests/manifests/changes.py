"""One change to a document, at a path of keys and places: `spec.predictor.env.0.name`."""

from copy import deepcopy
from typing import Any

from tests.manifests.rendered import Document

REMOVED = object()
"""As a value: take the field away."""


def changed(document: Document, path: str, value: Any) -> Document:
    """A copy in which the field has that value; `~` in a key stands for a dot. Lists grow by their own length."""
    result = deepcopy(document)
    *way, last = [key.replace("~", ".") for key in path.split(".")]
    holder: Any = result
    for key in way:
        holder = holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})
    if value is REMOVED:
        del holder[int(last) if isinstance(holder, list) else last]
    elif isinstance(holder, list) and int(last) == len(holder):
        holder.append(value)
    else:
        holder[int(last) if isinstance(holder, list) else last] = value
    return result
