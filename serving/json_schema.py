"""Pieces of JSON Schema (2020-12), of which `/openapi.json` is made. https://json-schema.org/draft/2020-12"""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TRUE: Schema = {"const": True}
BYTES: Schema = {"type": "string", "format": "binary"}
"""A whole body that is not text, as tools still expect it from OpenAPI 3.0."""


def ref(name: str) -> Schema:
    """The schema of that name among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these members; others are let pass, as every reader of JSON here does."""
    properties = {**required, **(optional or {})}
    return {"type": "object"} | ({"required": list(required)} if required else {}) | {"properties": properties}


def list_of(items: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": items, **limits}


def told(schema: Schema, description: str) -> Schema:
    """The same schema with a description for people."""
    return schema | {"description": description}
