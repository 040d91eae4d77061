"""Every gRPC call that one of our methods answers has an id and one line in the log, however it ends."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from serving.call import REQUEST_ID
from tests.e2e.grpc_wire import relaying
from tests.serving.talker import SERVICE, Talking, channel, talking, wanting

Code = grpc.StatusCode
HEALTH = "grpc.health.v1.Health"
CATS = pb.ModelMetadataRequest(name="cats").SerializeToString()
OF_CATS = HealthCheckRequest(service="cats").SerializeToString()
SERVICES = ServerReflectionRequest(list_services="").SerializeToString()

UNARY: dict[str, tuple[str, bytes, grpc.StatusCode, str]] = {
    "an answered request": (f"{SERVICE}/ModelInfer", wanting(), Code.OK, ""),
    "an answered probe": (f"{SERVICE}/ServerReady", b"", Code.OK, ""),
    "an unknown model": (f"{SERVICE}/ModelMetadata", CATS, Code.NOT_FOUND, "model_not_found"),
    "a fault": (f"{SERVICE}/ModelInfer", wanting(fault="ValueError"), Code.INTERNAL, "internal"),
    "a malformed request": (f"{SERVICE}/ModelInfer", b"\xff", Code.INVALID_ARGUMENT, "bad_input"),
    "what is not offered": (f"{SERVICE}/TraceSetting", b"", Code.UNIMPLEMENTED, "not_offered"),
    "an answered health check": (f"{HEALTH}/Check", b"", Code.OK, ""),
    "the health of another service": (f"{HEALTH}/Check", OF_CATS, Code.NOT_FOUND, "not_found"),
    "a malformed health check": (f"{HEALTH}/Check", b"\xff", Code.INVALID_ARGUMENT, "bad_input"),
}
"""Method, message, status, code."""

STREAMS: dict[str, tuple[str, bytes, grpc.StatusCode, str]] = {
    "a stream that is not offered": (f"{SERVICE}/ModelStreamInfer", b"", Code.UNIMPLEMENTED, "not_offered"),
    "reflection": ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", SERVICES, Code.OK, ""),
    "a malformed watch": (f"{HEALTH}/Watch", b"\xff", Code.INVALID_ARGUMENT, "bad_input"),
}


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: grpc.StatusCode
    details: str
    trailing: dict[str, Any]


@pytest.fixture
async def talker() -> AsyncIterator[Talking]:
    async with talking() as served:
        yield served


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "access")
    return caplog


async def ended(call: Any) -> Ended:
    return Ended(await call.code(), await call.details() or "", dict(await call.trailing_metadata() or ()))


async def ask(talker: Talking, method: str, content: bytes = b"", request_id: str = "asked-1") -> Ended:
    async with channel(talker.address) as opened:
        return await ended(opened.unary_unary(f"/{method}")(content, metadata=((REQUEST_ID, request_id),), timeout=20))


async def stream(talker: Talking, method: str, content: bytes) -> Ended:
    async with channel(talker.address) as opened:
        call = opened.stream_stream(f"/{method}")([content], metadata=((REQUEST_ID, "asked-1"),), timeout=20)
        with suppress(grpc.aio.AioRpcError):
            while await call.read() is not grpc.aio.EOF:
                pass
        return await ended(call)


async def line(log: pytest.LogCaptureFixture) -> Any:
    """The only one; a refusal goes out before it is logged."""
    for _ in range(500):
        if lines := [each for each in log.records if each.name == "access"]:
            break
        await asyncio.sleep(0.01)
    (record,) = lines
    return record


def check(ended: Ended, line: Any, method: str, code: grpc.StatusCode, error_code: str) -> None:
    assert (ended.code, ended.trailing.get("error-code", "")) == (code, error_code), ended.details
    assert ended.trailing[REQUEST_ID] == line.request_id == "asked-1"
    assert (line.route, line.status, line.code) == (method.split("/")[1], code.name, error_code)


@pytest.mark.parametrize("kind", UNARY)
async def test_a_call_has_its_id_and_one_line(talker: Talking, log: pytest.LogCaptureFixture, kind: str) -> None:
    method, content, code, error_code = UNARY[kind]
    check(await ask(talker, method, content), await line(log), method, code, error_code)


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_stream_has_its_id_and_one_line(talker: Talking, log: pytest.LogCaptureFixture, kind: str) -> None:
    method, content, code, error_code = STREAMS[kind]
    check(await stream(talker, method, content), await line(log), method, code, error_code)


async def test_an_id_that_could_forge_a_log_is_replaced(talker: Talking) -> None:
    made = (await ask(talker, f"{SERVICE}/ServerLive", request_id="two words")).trailing[REQUEST_ID]
    assert len(made) == 32


@pytest.mark.parametrize(
    ("method", "level"),
    [
        (f"{SERVICE}/ModelInfer", "INFO"),
        (f"{SERVICE}/LogSettings", "INFO"),
        (f"{SERVICE}/ServerReady", "DEBUG"),
        (f"{HEALTH}/Check", "DEBUG"),
    ],
)
async def test_what_probes_repeat_is_logged_at_debug(
    talker: Talking, log: pytest.LogCaptureFixture, method: str, level: str
) -> None:
    await ask(talker, method)
    assert (await line(log)).levelname == level


async def test_a_call_that_its_client_cancels_is_logged_as_cancelled(
    talker: Talking, log: pytest.LogCaptureFixture
) -> None:
    async with channel(talker.address) as opened:
        call = opened.unary_stream(f"/{HEALTH}/Watch")(b"", metadata=((REQUEST_ID, "asked-1"),))
        await call.read()
        call.cancel()
        assert (await line(log)).status == "CANCELLED"


async def test_a_call_whose_deadline_is_over_when_its_turn_comes_costs_nothing(
    talker: Talking, log: pytest.LogCaptureFixture
) -> None:
    """Its message comes while something else keeps the event loop, here the wait for the client."""
    go = threading.Event()

    def ask_late(address: str) -> None:
        with grpc.insecure_channel(address) as opened:
            infer: Any = opened.stream_unary(f"/{SERVICE}/ModelInfer")
            with pytest.raises(grpc.RpcError):
                infer((wanting() for _ in range(1) if go.wait(20)), timeout=1)

    with relaying(talker.address) as relay:
        client = threading.Thread(target=ask_late, args=(relay.address,))
        client.start()
        await asyncio.to_thread(relay.hear, b"ModelInfer")
        await asyncio.sleep(0.2)  # now the port waits for the message
        go.set()
        client.join()
        threading.Event().wait(0.5)  # the port's count of the client's second began later than the client's own
    assert (await line(log)).status == "DEADLINE_EXCEEDED"
    assert not talker.model.asked.is_set()
