"""CloudEvents on the V1 door, in both content modes, with kserve's own reading of what is one and how it is answered.

Specification: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from collections.abc import Mapping
from typing import Any

from cloudevents.sdk.converters.util import has_binary_headers
from fastapi import Response
from kserve.utils.utils import create_response_cloudevent, is_structured_cloudevent

from oip.errors import mismatch
from serving.responses import json_response

STRUCTURED = "application/cloudevents+json"


class CloudEvent:
    """What came in: an event in binary mode (its attributes are `ce-` headers), in structured mode, or plain JSON."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._binary = has_binary_headers(headers)
        self._structured = headers.get("content-type", "").split(";")[0].strip().lower() == STRUCTURED
        self._attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}

    def data(self, document: Any) -> Any:
        """The V1 request in the body's JSON; raises InvalidRequest for a structured event that lacks an attribute."""
        if isinstance(document, dict) and not self._binary and is_structured_cloudevent(document):
            self._attributes = {name: value for name, value in document.items() if name != "data"}
            return document["data"]
        if self._structured:
            raise mismatch("body", "a CloudEvent with specversion, id, source, type, time and data", "something else")
        return document

    def answer(self, model_name: str, document: dict[str, Any]) -> Response:
        """The V1 answer in the mode that the request came in."""
        if not (self._binary or self._structured):
            return json_response(document)
        attributes = {"id": "", "time": "", **self._attributes}
        headers, body = create_response_cloudevent(model_name, document, attributes, self._binary)
        media_type = "application/json" if self._binary else STRUCTURED
        return Response(body, headers={k: v for k, v in headers.items() if k != "content-type"}, media_type=media_type)
