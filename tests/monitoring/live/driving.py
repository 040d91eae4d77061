"""Every path through both servers: what they answer, what they refuse, and what befalls them."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

import grpc
import httpx
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from PIL import Image

from predictor.batcher import MOST_FAILURES
from tests.e2e.doors import Doors
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Process
from tests.monitoring.live.breakable import WHITE
from tests.monitoring.live.stack import (
    DEADLINE_SECONDS,
    MAX_IN_FLIGHT,
    MAX_JSON_SIZE,
    MAX_PIXELS,
    MAX_UPLOAD_SIZE,
    MODEL,
    Stack,
)

V1, V2 = f"/v1/models/{MODEL}:predict", f"/v2/models/{MODEL}/infer"
EDGE = 224
LATE_SECONDS = 0.5

_NO_SUCH_DOOR = dict.fromkeys(("not_found", "method_not_allowed"), "no door that infers is met")
_OF_PHOTOS = dict.fromkeys(("fetch_failed", "refused", "unsupported_media"), "a predictor gets no photos")
_OF_CALLS = dict.fromkeys(("bad_prediction", "predictor_unavailable"), "a predictor calls nobody")

UNHAPPENED: Mapping[str, Mapping[str, str]] = {
    "transformer": _NO_SUCH_DOOR
    | {
        "internal": "only by a mistake in its code: a predictor's fault is a bad_prediction",
        "not_ready": "only in the moment between its ports' opening and its channel to the predictor",
        "unavailable": "nothing in it dies alone: a predictor that does is predictor_unavailable",
    },
    "predictor": _NO_SUCH_DOOR | _OF_PHOTOS | _OF_CALLS,
}
"""Codes that no request is answered with, by component, and why."""


def drive(stack: Stack, reference: Reference) -> None:
    """All of it, once for each predictor where both can be asked. At last the canary's engine is broken."""
    for predictor in (stack.canary, stack.stable):
        answers(stack, predictor, reference)
        refusals_of_predictor(predictor)
    for predictor in (stack.stable, stack.canary):
        full_queue(predictor)
    refusals_of_transformer(stack)
    late_photos(stack)
    another_server(stack)
    broken_engine(stack.canary)


def answers(stack: Stack, predictor: Process, reference: Reference) -> None:
    """Through every door, and the versions' own, with several photos so that there are several classes."""
    doors = Doors(stack.led_to(predictor), reference, lambda sample: stack.photos.after(0))
    for single in doors.single(5).values():
        single(samples()[0])
    for batch in doors.batch(5).values():
        batch(samples()[:3])
    for process, document in ((stack.transformer, _photo()), (predictor, _pixels())):
        (version,) = httpx.get(f"{process.url}/v2/models/{MODEL}").json()["versions"]
        _code(process, f"/v2/models/{MODEL}/versions/{version}/infer", json=document)
    for process in (stack.transformer, predictor):
        for path in ("/", "/v2", "/v2/health/live", f"/v2/models/{MODEL}/stats", "/metrics", "/nowhere"):
            httpx.get(process.url + path)


def refusals_of_predictor(predictor: Process) -> None:
    assert _code(predictor, V2, json=_pixels(shape=[1, 3, EDGE, EDGE])) == "bad_input"
    assert _code(predictor, V1, json={"instances": []}) == "bad_input"
    assert _code(predictor, V1, content=bytes(MAX_JSON_SIZE + 1)) == "too_large"
    assert _code(predictor, "/v2/models/cats/infer", json=_pixels()) == "model_not_found"
    assert _code(predictor, V2, json=_pixels() | {"parameters": {"fingerprint": "another"}}) == "contract_mismatch"
    assert _code(predictor, V2, json={"inputs": [_shared()]}) == "not_offered"
    for _ in range(3):  # the client gives up at the same time, and now and then is heard first
        assert _rpc_code(predictor, _images(64), timeout=0.05) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert _rpc_code(predictor, pb.ModelInferRequest(model_name="cats")) is grpc.StatusCode.NOT_FOUND


def full_queue(predictor: Process) -> None:
    """More images at once than may wait; and one client that does not wait either."""
    with ThreadPoolExecutor(4) as clients:
        codes = list(clients.map(lambda _: _rpc_code(predictor, _images(64)), range(4)))
    assert grpc.StatusCode.UNAVAILABLE in codes
    with grpc.insecure_channel(predictor.grpc) as channel:
        call: Any = GRPCInferenceServiceStub(channel).ModelInfer.future(_images(64))
        with suppress(grpc.FutureTimeoutError):
            call.result(0.1)
        call.cancel()


def refusals_of_transformer(stack: Stack) -> None:
    server, photos = stack.transformer, stack.photos
    assert _code(server, "/predict", files={"file": _jpeg()[:500]}) == "bad_input"
    assert _code(server, "/predict", files={"file": b"hello, I am text"}) == "unsupported_media"
    assert _code(server, "/predict", files={"file": _png(MAX_PIXELS + 1)}) == "refused"
    assert _code(server, "/predict", files={"file": bytes(MAX_UPLOAD_SIZE + 1)}) == "too_large"
    assert _code(server, "/predict/url", json={"url": photos.missing}) == "fetch_failed"
    assert _code(server, "/predict/url", json={"url": "http://127.0.0.1/secret"}) == "bad_input"
    assert _code(server, V1, json={"instances": [{"url": photos.after(2 * DEADLINE_SECONDS)}]}) == "deadline_exceeded"
    assert _code(server, "/v2/models/cats/infer", json=_photo()) == "model_not_found"
    assert _code(server, V2, json=_photo() | {"parameters": {"fingerprint": "another"}}) == "contract_mismatch"
    assert _code(server, V2, json={"inputs": [_shared()]}) == "not_offered"
    assert _rpc_code(server, _images(1)) is grpc.StatusCode.INVALID_ARGUMENT


def late_photos(stack: Stack) -> None:
    """For more clients than there are places; and for one that has left when its photo comes."""
    late = {"url": stack.photos.after(LATE_SECONDS)}
    with ThreadPoolExecutor(3 * MAX_IN_FLIGHT) as clients:
        sent = [clients.submit(_code, stack.transformer, "/predict/url", json=late) for _ in range(3 * MAX_IN_FLIGHT)]
    assert "overloaded" in {each.result() for each in sent}
    with suppress(httpx.TimeoutException):
        httpx.post(f"{stack.transformer.url}/predict/url", json=late, timeout=LATE_SECONDS / 2)


def another_server(stack: Stack) -> None:
    """The route leads to something that speaks the protocol and is no predictor of ours."""
    stack.route.target = stack.transformer.grpc
    assert _code(stack.transformer, V2, json=_photo()) == "bad_prediction"


def broken_engine(predictor: Process) -> None:
    """It fails for one request, and then for so many that it is given up; others wait for it meanwhile."""
    white = _pixels(data=[WHITE] * (EDGE * EDGE * 3))
    assert _code(predictor, V2, json=white) == "internal"
    with ThreadPoolExecutor(8) as clients:
        codes = set(clients.map(lambda _: _code(predictor, V2, json=white), range(3 * MOST_FAILURES)))
    assert codes == {"internal", "unavailable", "not_ready"}


def replaced_predictor(stack: Stack) -> None:
    """The canary is killed, is gone for a while, and comes back."""
    stack.led_to(stack.canary)
    stack.canary.kill()
    assert _code(stack.transformer, V2, json=_photo()) == "predictor_unavailable"
    stack.canary.start().until()


@contextmanager
def loaded(send: Callable[[], object], clients: int) -> Iterator[None]:
    """So many clients that send again and again for as long as this lasts, whatever comes of it."""
    done = False

    def run() -> None:
        while not done:
            try:
                send()
            except (httpx.TransportError, grpc.RpcError):
                time.sleep(0.01)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(run) for _ in range(clients)]
        try:
            yield
        finally:
            done = True
    for each in running:
        each.result()


def classify(predictor: Process, images: int) -> None:
    """Over gRPC; an error is the caller's."""
    with grpc.insecure_channel(predictor.grpc) as channel:
        GRPCInferenceServiceStub(channel).ModelInfer(_images(images), timeout=30)


def _code(process: Process, path: str, **request: Any) -> str:
    """The code of the error; empty of an answer."""
    answer = httpx.post(process.url + path, timeout=30, **request)
    return "" if answer.status_code == 200 else str(answer.json()["code"])


def _rpc_code(process: Process, request: Any, timeout: float = 30) -> grpc.StatusCode:
    with grpc.insecure_channel(process.grpc) as channel:
        try:
            GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=timeout)
        except grpc.RpcError as error:
            refusal: Any = error
            return grpc.StatusCode(refusal.code())
    return grpc.StatusCode.OK


def _images(count: int) -> Any:
    """Black ones, for a predictor."""
    tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=[count, EDGE, EDGE, 3])
    return pb.ModelInferRequest(model_name=MODEL, inputs=[tensor], raw_input_contents=[bytes(count * EDGE * EDGE * 3)])


def _pixels(**changes: Any) -> dict[str, Any]:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, EDGE, EDGE, 3], "data": [0] * (EDGE * EDGE * 3)}
    return {"inputs": [tensor | changes]}


def _photo() -> dict[str, Any]:
    data = base64.b64encode(_jpeg()).decode()
    return {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [data]}]}


def _shared() -> dict[str, Any]:
    """A tensor in shared memory."""
    parameters = {"shared_memory_region": "pixels", "shared_memory_byte_size": 8}
    return {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": parameters}


def _jpeg() -> bytes:
    return _encoded(samples()[0].rgb.resize((256, 256)), "JPEG")


def _png(pixels: int) -> bytes:
    return _encoded(Image.new("1", (pixels // 1000 + 1, 1000)), "PNG")


def _encoded(image: Image.Image, form: str) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()
