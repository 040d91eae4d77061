"""JSON documents of clients, decoded into types that say what they may hold; members that these lack are skipped.

Tensors are left as text (`Json`), so that what a document takes is a small multiple of its bytes.
"""

import re
from typing import TypeVar

import msgspec
from msgspec.json import Decoder

from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.tensor import Parameter

T = TypeVar("T")

Json = msgspec.Raw
"""JSON text of a value, whose grammar has been checked and which has not been read: `bytes()` gives it."""

PARAMETERS_LIMIT = 64 * 1024
"""Bytes of one object of parameters."""

_MEMBERS = Decoder(dict[str, Json])
_PARAMETER: Decoder[Parameter] = Decoder(Parameter)
_MISMATCH = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_UNKNOWN = "Object contains unknown field"

_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "bool | int | float | str": "a string, number or boolean",
    "bool | int | float | str | null": "a string, number or boolean",
    "float": "a number",
    "int": "an integer",
    "null": "null",
    "object": "an object",
    "str": "a string",
}


def decode_json(decoder: Decoder[T], text: bytes | memoryview | Json, field: str = "") -> T:
    """The value of a JSON text; raises InvalidRequest for what is not JSON or not of the decoder's type.

    `field` is what the text is part of; an error names the place inside of it. NaN, infinity and nesting over
    Python's limit of some hundred levels are no JSON. Strings that are skipped need not be UTF-8.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), field) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"malformed JSON: {str(error).removeprefix('JSON is malformed: ')}") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest("malformed JSON: a string that is not UTF-8") from error
    except RecursionError as error:
        raise InvalidRequest("malformed JSON: nested too deeply") from error


def read_parameters(field: str, text: Json) -> dict[str, Parameter]:
    """Parameters of the protocol: an object whose values are strings, numbers or booleans; none where there is none."""
    size = len(memoryview(text))
    if size > PARAMETERS_LIMIT:
        raise mismatch(field, f"at most {PARAMETERS_LIMIT} bytes", size)
    members = decode_json(_MEMBERS, text, field) if size else {}
    return {name: decode_json(_PARAMETER, value, f"{field} {excerpt(name)}") for name, value in members.items()}


def _refusal(text: str, field: str) -> InvalidRequest:
    """The decoder's own text, which holds no value of the client, in our words."""
    reason, _, path = text.partition(" - at `$")
    place = f"{field}{path.removesuffix('`')}".removeprefix(".") or "body"
    if found := _MISMATCH.fullmatch(reason):
        expected, given = found.groups()
        return mismatch(place, _WORDS[expected], _WORDS[given])
    if found := _MISSING.fullmatch(reason):
        return mismatch(place, f"a member '{found[1]}'", "none")
    if reason.startswith(_UNKNOWN):
        return mismatch(place, "no other members", "another")
    return mismatch(place, "a number that can be held", "one out of range")
