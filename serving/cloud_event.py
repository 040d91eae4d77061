"""CloudEvents on the V1 door, in both content modes; an event is answered by one in the mode in which it came.

As with kserve, `ce-` headers come before the content type, an event that is only called JSON is answered by JSON, and
CE_TYPE, CE_SOURCE and CE_MERGE say what an answer's attributes are. Unlike there, an event needs no `time`, which the
specification leaves out as well, and one called application/cloudevents+json that is none is refused.

Specification: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, with formats/json-format.md and
bindings/http-protocol-binding.md.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from cloudevents.sdk.converters.util import has_binary_headers
from fastapi import Response
from kserve.utils.utils import create_response_cloudevent
from msgspec.json import Decoder

from oip.document import Json, decode_json
from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.tensor import Parameter
from serving.responses import json_response

STRUCTURED = "application/cloudevents+json"
VERSIONS = ("1.0", "0.3")
"""Of CloudEvents: those that the library below kserve's writes."""

ATTRIBUTES_LIMIT = 64 * 1024
"""Bytes of a structured event beside its data."""

_NAME = re.compile(r"(?!(?:data|extensions)$)[a-z0-9]+")
"""Of an attribute; `data` is none, and the library keeps its own list under `extensions`."""


class _Event(msgspec.Struct, gc=False):
    """What every event has, and the data that ours must have."""

    specversion: str
    id: str
    source: str
    type: str
    data: Json


_EVENT = Decoder(_Event)
_MEMBERS = Decoder(dict[str, Json])
_ATTRIBUTE: Decoder[Parameter | None] = Decoder(Parameter | None)


class CloudEvent:
    """What came in: an event in binary mode (its attributes are `ce-` headers), in structured mode, or plain JSON."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """The headers' names are in lower case."""
        content_type = headers.get("content-type", "").split(";")[0].strip().lower()
        self._binary = has_binary_headers(headers)
        self._structured = not self._binary and content_type == STRUCTURED
        self._attributes: dict[str, Parameter | None] = {
            name[3:]: value for name, value in headers.items() if name.startswith("ce-")
        }

    def data(self, text: bytes) -> bytes | Json:
        """The V1 request in the body's JSON; raises InvalidRequest for an event that breaks the specification."""
        if self._binary:
            _check_version("ce-specversion", self._attributes["specversion"])
            return text
        if self._structured:
            return self._unwrapped(text)
        if b'"specversion"' not in text:
            return text
        try:
            return self._unwrapped(text)
        except InvalidRequest:
            return text  # no event: what is wrong with it is said by who reads it

    def _unwrapped(self, text: bytes) -> Json:
        event = decode_json(_EVENT, text)
        _check_version("specversion", event.specversion)
        if (beside := len(text) - len(memoryview(event.data))) > ATTRIBUTES_LIMIT:
            raise mismatch("body", f"at most {ATTRIBUTES_LIMIT} bytes of attributes", beside)
        members = decode_json(_MEMBERS, text)
        del members["data"]
        self._attributes = {name: decode_json(_ATTRIBUTE, value, excerpt(name)) for name, value in members.items()}
        return event.data

    def answer(self, model_name: str, document: dict[str, Any]) -> Response:
        """The V1 answer in the mode that the request came in."""
        if not (self._binary or self._structured):
            return json_response(document)
        given = {name: value for name, value in self._attributes.items() if value is not None and _NAME.fullmatch(name)}
        given |= {"id": "", "time": ""}  # kserve deletes both, for new ones, and fails where there is no time
        headers, body = create_response_cloudevent(model_name, document, given, self._binary)
        media_type = "application/json" if self._binary else STRUCTURED
        return Response(body, headers={k: v for k, v in headers.items() if k != "content-type"}, media_type=media_type)


def _check_version(field: str, given: Parameter | None) -> None:
    if given not in VERSIONS:
        raise mismatch(field, " or ".join(VERSIONS), excerpt(given))
