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
_POSITION = re.compile(r" \(byte \d+\)$")
_UNKNOWN = "Object contains unknown field"

_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "bool | int | float | str": "a string, number or boolean",
    "bool | int | float | str | null": "a string, number or boolean",
    "array | null": "a list",
    "object | null": "an object",
    "str | null": "a string",
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
        raise _malformed(field, str(error).removeprefix("JSON is malformed: ")) from error
    except UnicodeDecodeError as error:
        raise _malformed(field, "a string that is not UTF-8") from error
    except RecursionError as error:
        raise _malformed(field, "lists or objects nested over some hundred levels") from error


def is_given(value: Json) -> bool:
    """Whether a member that may be left out was there; null stands for one that was not."""
    return bytes(memoryview(value)[:5]) not in (b"", b"null")


def read_parameters(field: str, text: Json) -> dict[str, Parameter]:
    """Parameters of the protocol: an object whose values are strings, numbers or booleans; none where there is none."""
    if (size := len(memoryview(text))) > PARAMETERS_LIMIT:
        raise mismatch(field, f"at most {PARAMETERS_LIMIT} bytes", size)
    members = decode_json(_MEMBERS, text, field) if is_given(text) else {}
    return {name: decode_json(_PARAMETER, value, f"{field} {excerpt(name)}") for name, value in members.items()}


def _refusal(text: str, field: str) -> InvalidRequest:
    """The decoder's own text, which holds no value of the client, in our words."""
    reason, _, path = text.partition(" - at `$")
    place = f"{field}{path.removesuffix('`')}".removeprefix(".") or "body"
    if found := _MISMATCH.fullmatch(reason):
        expected, given = (_WORDS.get(kind, kind) for kind in found.groups())
        return mismatch(place, expected, given)
    if found := _MISSING.fullmatch(reason):
        return mismatch(place, f"a member '{found[1]}'", "none")
    if reason.startswith(_UNKNOWN):
        return mismatch(place, "no other members", "another")
    return InvalidRequest(f"{place}: {reason[:1].lower()}{reason[1:]}")


def _malformed(field: str, reason: str) -> InvalidRequest:
    """Inside of a field, the decoder's count of bytes would be of no use."""
    where = f"{field}: " if field else ""
    return InvalidRequest(f"{where}malformed JSON: {_POSITION.sub('', reason) if field else reason}")
