"""The V2 doors: REST of the Open Inference Protocol, with the extensions that Triton's clients ask for."""

from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec.json import Decoder

from oip.document import decode_json
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.metadata import config_document, index_document, metadata_document
from oip.rest import HEADER_LENGTH, decode_request, encode_response
from oip.statistics import statistics_document
from serving import call, openapi_v2
from serving.body import answer_apart, apart, bounded, unless_gone
from serving.compression import deflated
from serving.dataplane import DataPlane
from serving.errors import NotOffered, NotReady
from serving.openapi import Operation
from serving.responses import json_response
from serving.version import EXTENSIONS, NAME, NOT_OFFERED_TEXT, VERSION

Door = Callable[..., Awaitable[Response]]

_MODEL, _VERSION = "/models/{model_name}", "/models/{model_name}/versions/{version}"

INFER_ROUTES = (f"/v2{_MODEL}/infer", f"/v2{_VERSION}/infer")

NOT_OFFERED = (
    "/systemsharedmemory/{rest:path}",
    "/cudasharedmemory/{rest:path}",
    "/trace/setting",
    "/models/{model_name}/trace/setting",
    "/logging",
    "/repository/models/{model_name}/load",
    "/repository/models/{model_name}/unload",
)
"""Triton's extensions that a pod with one model has no use for."""


async def not_offered(request: Request) -> Response:
    """Every door that is known and not offered."""
    raise NotOffered(f"{request.url.path[:200]}: {NOT_OFFERED_TEXT}")


class _IndexRequest(msgspec.Struct, gc=False):
    ready: bool = False


_INDEX_REQUEST = Decoder(_IndexRequest)


class V2Doors:
    """Every door reads the model's name and version from its path alone, never from a query."""

    def __init__(self, plane: DataPlane, max_request_size: int, max_json_size: int) -> None:
        self.plane = plane
        self.max_request_size = max_request_size
        self.max_json_size = max_json_size

    def router(self) -> APIRouter:
        """Every door under `/v2`."""
        router = APIRouter(prefix="/v2", tags=["V2"])
        router.add_api_route("/", self.server_metadata, include_in_schema=False)
        router.add_api_route("", self.server_metadata, **openapi_v2.SERVER_METADATA)
        router.add_api_route("/health/live", self.live, **openapi_v2.SERVER_LIVE)
        router.add_api_route("/health/ready", self.ready, **openapi_v2.SERVER_READY)
        router.add_api_route("/models/stats", self.statistics, **openapi_v2.STATISTICS)
        router.add_api_route(
            "/repository/index", self.repository_index, methods=["POST"], **openapi_v2.REPOSITORY_INDEX
        )
        for path in NOT_OFFERED:
            router.add_api_route(path, not_offered, methods=["GET", "POST"], include_in_schema=False)
        doors: dict[str, tuple[Door, str, Operation]] = {
            "/infer": (self.infer, "POST", openapi_v2.MODEL_INFER),
            "": (self.model_metadata, "GET", openapi_v2.MODEL_METADATA),
            "/ready": (self.model_ready, "GET", openapi_v2.MODEL_READY),
            "/config": (self.model_config, "GET", openapi_v2.MODEL_CONFIG),
            "/stats": (self.statistics, "GET", openapi_v2.MODEL_STATISTICS),
        }
        for path, (door, method, described) in doors.items():
            router.add_api_route(_MODEL + path, door, methods=[method], **described)
        for path, (door, method, described) in doors.items():
            router.add_api_route(_VERSION + path, door, methods=[method], **openapi_v2.of_version(described))
        return router

    async def server_metadata(self) -> Response:
        return json_response({"name": NAME, "version": VERSION, "extensions": EXTENSIONS})

    async def live(self) -> Response:
        self.plane.check_alive()
        return json_response({"live": True})

    async def ready(self) -> Response:
        if not self.plane.ready_to_serve:
            raise NotReady("the server is not ready")
        return json_response({"ready": True})

    async def model_metadata(self, request: Request) -> Response:
        return json_response(metadata_document(self.plane.model(*in_path(request)).metadata()))

    async def model_ready(self, request: Request) -> Response:
        model_name, version = in_path(request)
        if not self.plane.is_ready(self.plane.model(model_name, version)):
            raise NotReady(f"model {model_name} is not ready")
        return json_response({"name": model_name, "ready": True})

    async def model_config(self, request: Request) -> Response:
        return json_response(config_document(*self.plane.config(*in_path(request))))

    async def statistics(self, request: Request) -> Response:
        return json_response(statistics_document(self.plane.statistics(*in_path(request))))

    async def repository_index(self, request: Request) -> Response:
        body = await bounded(request, self.max_json_size).body()
        asked = decode_json(_INDEX_REQUEST, body) if body else _IndexRequest()
        return json_response(index_document(self.plane.index(ready_only=asked.ready)))

    async def infer(self, request: Request) -> Response:
        model_name, version = in_path(request)
        async with self.plane.admitted(model_name, version) as model:
            length = header_length(request)
            with call.current().stage("read"):
                body = await bounded(request, self.max_json_size if length is None else self.max_request_size).body()
                decoded = await apart(len(body), decode_request, model_name, body, length, version)
                asked = model.request_from_v2(decoded)
            answer = await unless_gone(request, self.plane.answer(model, asked))
            with call.current().stage("postprocess"):
                content, json_length = await answer_apart(
                    lambda: encode_response(model.response_to_v2(answer, decoded), decoded)
                )
        content, headers = deflated(request, content)
        if json_length is None:
            return Response(content, headers=headers, media_type="application/json")
        headers[HEADER_LENGTH] = str(json_length)
        return Response(content, headers=headers, media_type="application/octet-stream")


def in_path(request: Request) -> tuple[str, str]:
    """Model and version that the path names, each empty where it names none."""
    return request.path_params.get("model_name", ""), request.path_params.get("version", "")


def header_length(request: Request) -> int | None:
    """Bytes of the JSON part when binary tensors follow it, None when all of the body is JSON."""
    text = request.headers.get(HEADER_LENGTH)
    if text is None:
        return None
    text = text.strip()
    if not text.isdecimal() or len(text) > 18:
        raise mismatch(HEADER_LENGTH, "a number of bytes", excerpt(text))
    return int(text)
