"""kserve's own inference clients work on both servers: REST with V1 and V2, and gRPC."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve import InferInput, InferRequest
from kserve.inference_client import InferenceGRPCClient, InferenceRESTClient, RESTConfig
from kserve.protocol.infer_type import InferResponse, RequestedOutput
from numpy.typing import NDArray

from tests.assets import TOP_FIVE, needs_assets
from tests.e2e.faces import SERVERS, process
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Pair

pytestmark = needs_assets

CAT = TOP_FIVE["chelsea.png"]
NAMES = ["Egyptian cat", "tiger cat", "tabby", "lynx", "cheetah"]
STATED = 0.002
OUTPUTS = {"predictor": ("probabilities",), "transformer": ("class_id", "label", "confidence")}
NO_DOGS = "model: expected one of photos, got 'dogs'"

Best = list[tuple[int, float]]


@dataclass(frozen=True)
class Side:
    """One server, and the cat as its model takes it."""

    server: str
    url: str
    address: str
    pixels: NDArray[np.uint8]

    def request(self, *, binary: bool = True, model: str = "photos", name: str = "image", **options: Any) -> Any:
        array, datatype = self._tensor(binary=binary)
        image = InferInput(name, list(array.shape), datatype)
        image.set_data_from_numpy(array, binary_data=binary)
        return InferRequest(model, [image], **options)

    def instances(self) -> list[Any]:
        if self.server == "predictor":
            return [self.pixels.tolist()]
        return [{"image": {"b64": base64.b64encode(samples()[0].data).decode()}}]

    def outputs(self, **parameters: Any) -> list[Any]:
        return [RequestedOutput(name, parameters) for name in OUTPUTS[self.server]]

    def best(self, response: InferResponse) -> Best:
        """The five best classes of the one photo."""
        arrays = {output.name: output.as_numpy() for output in response.outputs}
        if self.server == "predictor":
            return best_of(arrays["probabilities"][0])
        assert [decoded(label) for label in arrays["label"][0]] == NAMES
        return list(zip(arrays["class_id"][0].tolist(), arrays["confidence"][0].tolist(), strict=True))

    def best_of_v1(self, predictions: list[Any]) -> Best:
        (prediction,) = predictions
        if self.server == "predictor":
            return best_of(np.array(prediction))
        assert [each["label"] for each in prediction] == NAMES
        return [(each["class_id"], each["confidence"]) for each in prediction]

    def _tensor(self, *, binary: bool) -> tuple[NDArray[Any], str]:
        if self.server == "predictor":
            return self.pixels[None], "UINT8"
        photo = samples()[0].data
        return np.array([photo if binary else base64.b64encode(photo)], np.object_), "BYTES"


def best_of(probabilities: NDArray[Any]) -> Best:
    return [(int(index), float(probabilities[index])) for index in np.argsort(-probabilities)[:5]]


def decoded(label: Any) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)


def check(best: Best) -> None:
    assert [class_id for class_id, _ in best] == list(CAT)
    assert [value for _, value in best] == pytest.approx(list(CAT.values()), abs=STATED)


@pytest.fixture(params=SERVERS)
def side(request: pytest.FixtureRequest, servers: Pair, reference: Reference) -> Side:
    asked = process(servers, request.param)
    return Side(request.param, asked.url, asked.grpc, reference.tensor(samples()[0].rgb))


@pytest.fixture
async def v1() -> AsyncIterator[Any]:
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        yield client


@pytest.fixture
async def v2() -> AsyncIterator[Any]:
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        yield client


@pytest.fixture
async def rpc(side: Side) -> AsyncIterator[Any]:
    async with InferenceGRPCClient(side.address) as client:
        yield client


async def test_v1_says_that_the_server_is_live(v1: Any, side: Side) -> None:
    assert await v1.is_server_live(side.url) is True


async def test_v1_says_that_the_model_is_ready(v1: Any, side: Side) -> None:
    assert await v1.is_model_ready(side.url, "photos") is True


async def test_v1_predicts(v1: Any, side: Side) -> None:
    answer = await v1.infer(side.url, {"instances": side.instances()}, model_name="photos")
    check(side.best_of_v1(answer["predictions"]))


async def test_v1_tells_why_it_refuses(v1: Any, side: Side) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=r"instances: expected .*'400 Bad Request'"):
        await v1.infer(side.url, {"instances": []}, model_name="photos")


async def test_v1_names_an_unknown_model(v1: Any, side: Side) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=f"{NO_DOGS}, '404 Not Found'"):
        await v1.infer(side.url, {"instances": side.instances()}, model_name="dogs")
    with pytest.raises(httpx.HTTPStatusError, match=f"{NO_DOGS}, '404 Not Found'"):
        await v1.is_model_ready(side.url, "dogs")


async def test_v2_says_live_and_ready(v2: Any, side: Side) -> None:
    assert await v2.is_server_live(side.url) is True
    assert await v2.is_server_ready(side.url) is True
    assert await v2.is_model_ready(side.url, "photos") is True


async def test_v2_says_that_an_unknown_model_is_not_ready(v2: Any, side: Side) -> None:
    assert await v2.is_model_ready(side.url, "dogs") is False


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
async def test_v2_infers(v2: Any, side: Side, *, binary_in: bool, binary_out: bool) -> None:
    headers: dict[str, str] = {}
    request = side.request(binary=binary_in, request_outputs=side.outputs(binary_data=binary_out))
    response = await v2.infer(side.url, request, model_name="photos", response_headers=headers)
    check(side.best(response))
    assert ("inference-header-content-length" in headers) is binary_out


async def test_v2_infers_with_all_outputs_in_binary(v2: Any, side: Side) -> None:
    request = side.request(parameters={"binary_data_output": True})
    check(side.best(await v2.infer(side.url, request, model_name="photos")))


async def test_v2_echoes_the_id(v2: Any, side: Side) -> None:
    response = await v2.infer(side.url, side.request(request_id="a cat, 1"), model_name="photos")
    assert (response.id, response.model_name) == ("a cat, 1", "photos")


async def test_v2_gives_the_outputs_that_are_asked_for(v2: Any, side: Side) -> None:
    request = side.request(request_outputs=side.outputs()[-1:])
    response = await v2.infer(side.url, request, model_name="photos")
    assert [output.name for output in response.outputs] == [OUTPUTS[side.server][-1]]


async def test_v2_tells_why_it_refuses(v2: Any, side: Side) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=r"inputs: expected .*'cat', '400 Bad Request'"):
        await v2.infer(side.url, side.request(name="cat"), model_name="photos")


async def test_v2_names_an_unknown_model(v2: Any, side: Side) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=f"{NO_DOGS}, '404 Not Found'"):
        await v2.infer(side.url, side.request(model="dogs"), model_name="dogs")


async def test_grpc_says_live_and_ready(rpc: Any) -> None:
    assert await rpc.is_server_live() is True
    assert await rpc.is_server_ready() is True
    assert await rpc.is_model_ready("photos") is True


async def test_grpc_infers(rpc: Any, side: Side) -> None:
    check(side.best(await rpc.infer(side.request())))


async def test_grpc_infers_from_typed_contents(rpc: Any, side: Side) -> None:
    array = side.request().inputs[0].as_numpy()
    image = InferInput(
        "image", list(array.shape), "UINT8" if side.server == "predictor" else "BYTES", array.ravel().tolist()
    )
    check(side.best(await rpc.infer(InferRequest("photos", [image]))))


async def test_grpc_echoes_the_id(rpc: Any, side: Side) -> None:
    response = await rpc.infer(side.request(request_id="a cat, 1"))
    assert (response.id, response.model_name) == ("a cat, 1", "photos")


async def test_grpc_gives_the_outputs_that_are_asked_for(rpc: Any, side: Side) -> None:
    response = await rpc.infer(side.request(request_outputs=side.outputs()[-1:]))
    assert [output.name for output in response.outputs] == [OUTPUTS[side.server][-1]]


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"model": "dogs"}, grpc.StatusCode.NOT_FOUND, NO_DOGS),
        ({"model_version": "9"}, grpc.StatusCode.NOT_FOUND, "version of model photos: expected"),
        ({"name": "cat"}, grpc.StatusCode.INVALID_ARGUMENT, "inputs: expected"),
    ],
)
async def test_grpc_tells_why_it_refuses(
    rpc: Any, side: Side, wrong: dict[str, Any], code: grpc.StatusCode, said: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=said) as caught:
        await rpc.infer(side.request(**wrong))
    assert caught.value.code() is code


async def test_grpc_names_an_unknown_model_that_is_asked_whether_it_is_ready(rpc: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=NO_DOGS) as caught:
        await rpc.is_model_ready("dogs")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
