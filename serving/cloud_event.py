"""CloudEvents on the V1 door, in both content modes, with kserve's own reading of what is one and how it is answered.

Specification: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from cloudevents.sdk.converters.util import has_binary_headers
from fastapi import Response
from kserve.utils.utils import create_response_cloudevent
from msgspec.json import Decoder

from oip.document import Json, decode_json
from oip.errors import InvalidRequest, mismatch
from serving.responses import json_response

STRUCTURED = "application/cloudevents+json"
ATTRIBUTES_LIMIT = 64 * 1024
"""Bytes of a structured event beside its data."""


class _Event(msgspec.Struct, gc=False):
    """What kserve wants of a structured event."""

    specversion: Json
    id: Json
    source: Json
    type: Json
    time: Json
    data: Json


_EVENT = Decoder(_Event)
_MEMBERS = Decoder(dict[str, Json])


class CloudEvent:
    """What came in: an event in binary mode (its attributes are `ce-` headers), in structured mode, or plain JSON."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._binary = has_binary_headers(headers)
        self._structured = headers.get("content-type", "").split(";")[0].strip().lower() == STRUCTURED
        self._attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}

    def data(self, text: bytes) -> bytes | Json:
        """The V1 request in the body's JSON; raises InvalidRequest for a structured event that lacks an attribute."""
        if self._structured:
            return self._unwrapped(text)
        if self._binary or b'"specversion"' not in text:
            return text
        try:
            return self._unwrapped(text)
        except InvalidRequest:
            return text  # no event: what is wrong with it is said by who reads it

    def _unwrapped(self, text: bytes) -> Json:
        data = decode_json(_EVENT, text).data
        if (beside := len(text) - len(memoryview(data))) > ATTRIBUTES_LIMIT:
            raise mismatch("body", f"at most {ATTRIBUTES_LIMIT} bytes of attributes", beside)
        members = decode_json(_MEMBERS, text).items()
        self._attributes = {name: orjson.loads(memoryview(value)) for name, value in members if name != "data"}
        return data

    def answer(self, model_name: str, document: dict[str, Any]) -> Response:
        """The V1 answer in the mode that the request came in."""
        if not (self._binary or self._structured):
            return json_response(document)
        attributes = {"id": "", "time": "", **self._attributes}
        headers, body = create_response_cloudevent(model_name, document, attributes, self._binary)
        media_type = "application/json" if self._binary else STRUCTURED
        return Response(body, headers={k: v for k, v in headers.items() if k != "content-type"}, media_type=media_type)
