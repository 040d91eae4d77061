"""JSON documents of clients, read member by member: each reader returns the type it is named for or refuses."""

import orjson

from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.tensor import Parameter

JsonObject = dict[str, object]


def parse_json(body: bytes | memoryview) -> object:
    """The value of a JSON text; raises InvalidRequest for anything else, NaN and nesting beyond 1024 included.

    Python's objects take up to about 40 times the body's memory; binary tensors take none: limit bodies accordingly.
    """
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"malformed JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    return value


def read_object(field: str, value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise mismatch(field, "an object", excerpt(value))
    return value


def read_list(field: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise mismatch(field, "a list", excerpt(value))
    return value


def read_string(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise mismatch(field, "a string", excerpt(value))
    return value


def read_parameters(field: str, value: object) -> dict[str, Parameter]:
    """Parameters of the protocol: an object whose values are strings, numbers or booleans."""
    return {name: _read_parameter(f"{field} {excerpt(name)}", item) for name, item in read_object(field, value).items()}


def required(field: str, document: JsonObject, name: str) -> object:
    """The member of that name; `field` says whose member it is."""
    if name not in document:
        raise mismatch(field, f"a member '{name}'", "none")
    return document[name]


def _read_parameter(field: str, value: object) -> Parameter:
    if not isinstance(value, bool | int | float | str):
        raise mismatch(field, "a string, number or boolean", excerpt(value))
    return value
