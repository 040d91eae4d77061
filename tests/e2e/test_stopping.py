"""SIGTERM under load: whatever was accepted is answered, and the process ends with 0."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from tests.assets import needs_assets
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, Process, pair

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]

MOMENTS = [random.Random(seed).uniform(0.2, 1.2) for seed in range(10)]
"""Seconds of load before the signal."""

Send = Callable[[str], bool]
"""Send one request under an id; whether its answer is a prediction and not a 503; raises when there is no answer."""
Client = Callable[[], AbstractContextManager[Send]]


@pytest.fixture(scope="module")
def both(squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = pair(squeezenet, tmp_path_factory.mktemp("stopping")).start()
    yield made
    made.end()


@dataclass
class Load:
    """Clients in threads that send until told to stop; ids of answered and of failed requests."""

    client: Client
    name: str
    clients: int = 3
    answered: set[str] = field(default_factory=set)
    right: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def __enter__(self) -> "Load":
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, number: int) -> None:
        count = 0
        with self.client() as send:
            while not self._stop.is_set():
                request_id = f"{self.name}-{number}-{(count := count + 1)}"
                try:
                    (self.right if send(request_id) else self.answered).add(request_id)
                except (httpx.TransportError, grpc.RpcError):
                    self.failed.add(request_id)
                    time.sleep(0.01)


def rest(url: str) -> Client:
    @contextmanager
    def client() -> Iterator[Send]:
        with httpx.Client(base_url=url, timeout=30) as session:

            def send(request_id: str) -> bool:
                headers = {"x-request-id": request_id}
                answer = session.post("/predict", files={"file": samples()[0].data}, headers=headers)
                assert answer.status_code in {200, 503}, answer.text
                assert answer.headers["x-request-id"] == request_id
                return answer.status_code == 200

            yield send

    return client


def rpc(address: str, request: Any) -> Client:
    """A call that the server answers with UNAVAILABLE of its own, by our code in the trailing metadata, is answered."""

    @contextmanager
    def client() -> Iterator[Send]:
        with grpc.insecure_channel(address, options=[("grpc.enable_retries", 0)]) as channel:
            stub = GRPCInferenceServiceStub(channel)

            def send(request_id: str) -> bool:
                try:
                    stub.ModelInfer(request, timeout=30, metadata=[("x-request-id", request_id)])
                except grpc.RpcError as error:
                    ours = "error-code" in {entry.key for entry in error.trailing_metadata() or ()}
                    if error.code() is not grpc.StatusCode.UNAVAILABLE or not ours:
                        raise
                    return False
                return True

            yield send

    return client


def tensor_request() -> Any:
    image = pb.ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=[1, 224, 224, 3])
    return pb.ModelInferRequest(model_name="photos", inputs=[image], raw_input_contents=[bytes(224 * 224 * 3)])


def photo_request() -> Any:
    image = pb.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[1])
    image.contents.bytes_contents.append(samples()[0].data)
    return pb.ModelInferRequest(model_name="photos", inputs=[image])


def accepted(process: Process) -> set[str]:
    """Ids of the requests whose headers the server has read, or whose call it has begun, by its own log."""
    return {line["request_id"] for line in process.log_lines() if line["message"].startswith("accepted ")}


@pytest.mark.parametrize("moment", range(10))
def test_a_transformer_that_is_stopped_answers_what_it_accepted(both: Pair, moment: int) -> None:
    with (
        Load(rest(both.transformer.url), f"rest{moment}") as over_rest,
        Load(rpc(both.transformer.grpc, photo_request()), f"grpc{moment}", clients=1) as over_grpc,
    ):
        time.sleep(MOMENTS[moment])
        assert both.transformer.stop() == 0
    check(both.transformer, over_rest, over_grpc)
    both.transformer.start().until()


@pytest.mark.parametrize("moment", range(10))
def test_a_predictor_that_is_stopped_answers_what_it_accepted(both: Pair, moment: int) -> None:
    with (
        Load(rpc(both.predictor.grpc, tensor_request()), f"direct{moment}", clients=2) as over_grpc,
        Load(rest(both.transformer.url), f"through{moment}", clients=2) as through,
    ):
        time.sleep(MOMENTS[moment])
        assert both.predictor.stop() == 0
    check(both.predictor, over_grpc)
    assert not through.failed, "the transformer stayed, so each of its requests was answered"
    both.predictor.start().until()


def check(process: Process, *loads: Load) -> None:
    seen = accepted(process)
    for load in loads:
        assert load.right
        assert load.failed.isdisjoint(seen), load.failed & seen


def test_a_second_signal_changes_nothing(both: Pair) -> None:
    with Load(rest(both.transformer.url), "twice") as load:
        time.sleep(0.5)
        both.transformer.signal()
        both.transformer.signal()
        assert both.transformer.wait() == 0
    check(both.transformer, load)
    both.transformer.start().until()
