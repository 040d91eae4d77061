"""gRPC's own health service says what REST's readiness says."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.serving.talker import SERVICE, Talking, channel, talking

Status = HealthCheckResponse.ServingStatus


@pytest.fixture
async def talker() -> AsyncIterator[Talking]:
    async with talking() as served:
        yield served


@pytest.fixture
async def health(talker: Talking) -> AsyncIterator[Any]:
    async with channel(talker.address) as opened:
        yield HealthStub(opened)


async def check(health: Any, service: str) -> str:
    return Status.Name((await health.Check(HealthCheckRequest(service=service), timeout=20)).status)


async def next_of(watch: Any) -> str:
    return Status.Name((await watch.read()).status)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_check_follows_readiness(talker: Talking, health: Any, service: str) -> None:
    assert await check(health, service) == "SERVING"
    talker.model.ready = False
    assert await check(health, service) == "NOT_SERVING"


async def test_a_check_of_another_service_names_both(health: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(health, "cats")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == f"service: expected {SERVICE}, got 'cats'"


async def test_a_watch_tells_each_change_once_and_ends_with_the_server(talker: Talking, health: Any) -> None:
    watch = health.Watch(HealthCheckRequest(), timeout=20)
    assert await next_of(watch) == "SERVING"
    talker.model.ready = False
    assert await next_of(watch) == "NOT_SERVING"
    talker.model.ready = True
    assert await next_of(watch) == "SERVING"
    talker.plane.draining = True
    assert await next_of(watch) == "NOT_SERVING"
    assert await watch.read() is grpc.aio.EOF
    assert await watch.code() is grpc.StatusCode.OK


async def test_a_watch_of_another_service_stays_open(health: Any) -> None:
    """As the specification wants it: a client would only come again."""
    watch = health.Watch(HealthCheckRequest(service="cats"), timeout=1.2)
    assert await next_of(watch) == "SERVICE_UNKNOWN"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await watch.read()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
