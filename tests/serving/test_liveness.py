"""A server says that it is not alive once a model has lost what only a new process can bring back."""

from pathlib import Path

import grpc
import httpx

from oip.grpc import SERVICE
from oip.inference_pb2 import ServerLiveRequest, ServerLiveResponse
from tests.serving.test_server import PREDICT, sleeper


def test_every_liveness_door_tells_of_a_death(tmp_path: Path) -> None:
    server = sleeper(tmp_path / "log").start().until()
    try:
        doors = [server.url + path for path in ("/", "/health", "/v2/health/live")]
        before = [httpx.get(door).status_code for door in doors]
        httpx.post(server.url + PREDICT, json={"die": True})
        answers = [httpx.get(door) for door in doors]
        assert before == [200, 200, 200]
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert {answer.json()["code"] for answer in answers} == {"unavailable"}
        assert live_over_grpc(server.grpc) is grpc.StatusCode.UNAVAILABLE
        (model,) = httpx.post(server.url + "/v2/repository/index").json()
        assert (model["state"], model["reason"]) == ("UNAVAILABLE", "a part of the server has died")
    finally:
        server.end()


def live_over_grpc(target: str) -> grpc.StatusCode:
    with grpc.insecure_channel(target) as channel:
        live = channel.unary_unary(
            f"/{SERVICE}/ServerLive",
            request_serializer=ServerLiveRequest.SerializeToString,
            response_deserializer=ServerLiveResponse.FromString,
        )
        try:
            live(ServerLiveRequest(), timeout=10)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK
