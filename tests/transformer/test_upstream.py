"""Whatever a predictor answers, the transformer's client tells a prediction or one leaf of the error tree."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
import pytest

from oip import inference_pb2 as pb
from oip.grpc import SERVICE
from serving import call
from serving.errors import (
    ERROR_CODE,
    BadPrediction,
    ContractMismatch,
    DeadlineExceeded,
    PredictorUnavailable,
    ServiceError,
)
from serving.settings import read
from transformer.settings import TransformerSettings
from transformer.upstream import PredictorClient

BATCH = np.zeros((2, 224, 224, 3), np.uint8)
INFO = json.dumps({"classes": 10, "model_version": "7"})

Answer = Callable[[Any, Any], Any]


def config(fingerprint: str = "1-bilinear-232-224", info: str = INFO) -> pb.ModelConfigResponse:
    parameters = {"fingerprint": fingerprint, "model_info": info}
    values = {name: pb.ModelParameter(string_value=value) for name, value in parameters.items()}
    return pb.ModelConfigResponse(config=pb.ModelConfig(parameters=values))


def prediction(*entries: bytes, shape: tuple[int, ...] = (2, 1), datatype: str = "BYTES") -> pb.ModelInferResponse:
    output = pb.ModelInferResponse.InferOutputTensor(name="probabilities", datatype=datatype, shape=shape)
    raw = b"".join(len(entry).to_bytes(4, "little") + entry for entry in entries)
    return pb.ModelInferResponse(model_name="m", model_version="7", outputs=[output], raw_output_contents=[raw])


GOOD = prediction(b"0.5:3:cat", b"0.25:4:a:b")


async def listening(
    answer: pb.ModelInferResponse | Answer, told: pb.ModelConfigResponse | None = None
) -> tuple[grpc.aio.Server, int]:
    """A predictor that answers as told, and its port."""

    async def model_config(_: Any, __: Any) -> Any:
        return told or config()

    async def model_infer(request: Any, context: Any) -> Any:
        return answer if isinstance(answer, pb.ModelInferResponse) else await answer(request, context)

    server = grpc.aio.server()
    handlers: dict[str, Any] = {
        "ModelConfig": grpc.unary_unary_rpc_method_handler(
            model_config, pb.ModelConfigRequest.FromString, pb.ModelConfigResponse.SerializeToString
        ),
        "ModelInfer": grpc.unary_unary_rpc_method_handler(
            model_infer, pb.ModelInferRequest.FromString, pb.ModelInferResponse.SerializeToString
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@asynccontextmanager
async def predictor(
    answer: pb.ModelInferResponse | Answer = GOOD, told: pb.ModelConfigResponse | None = None
) -> AsyncIterator[PredictorClient]:
    """A client of a predictor that answers as told."""
    server, port = await listening(answer, told)
    client = PredictorClient(read(TransformerSettings, [f"--predictor_host=127.0.0.1:{port}"]))
    try:
        yield client
    finally:
        await client.close()
        await server.stop(0)


def aborting(code: grpc.StatusCode, ours: str = "") -> Answer:
    async def abort(_: Any, context: Any) -> None:
        await context.abort(code, "secret details", ((ERROR_CODE, ours),) if ours else ())

    return abort


async def classified(client: PredictorClient, k: int = 1, seconds: float = 10) -> Any:
    call.begin({}, seconds)
    return await client.classify(BATCH, k, await client.meet())


async def test_a_prediction_is_told_with_the_model_that_gave_it() -> None:
    async with predictor() as client:
        answer = await classified(client)
    assert answer.model_version == "7"
    assert [[(best.index, best.value, best.label) for best in row] for row in answer.rows] == [
        [(3, 0.5, "cat")],
        [(4, 0.25, "a:b")],
    ]


async def test_a_request_carries_the_contract_and_the_call() -> None:
    seen: list[Any] = []

    async def note(request: Any, context: Any) -> Any:
        seen.append((request, dict(context.invocation_metadata())))
        return GOOD

    async with predictor(note) as client:
        call.begin({"x-request-id": "r-1"}, 10)
        await client.classify(BATCH, 1, await client.meet())
    ((request, metadata),) = seen
    assert request.parameters["fingerprint"].string_param == "1-bilinear-232-224"
    assert request.raw_input_contents[0] == BATCH.tobytes()
    assert (request.id, metadata["x-request-id"]) == ("r-1", "r-1")
    assert metadata["traceparent"] == call.current().traceparent


@pytest.mark.parametrize(
    "nonsense",
    [
        pb.ModelInferResponse(),
        prediction(b"0.5:3:cat", shape=(1, 1)),
        prediction(b"0.5:3:cat", b"0.5:3:cat", b"0.5:3:cat", b"0.5:3:cat", shape=(2, 2)),
        prediction(b"\0\0\0\0", b"", datatype="FP32"),
        prediction(b"nan:3:cat", b"0.5:3:cat"),
        prediction(b"1.5:3:cat", b"0.5:3:cat"),
        prediction(b"-0.5:3:cat", b"0.5:3:cat"),
        prediction(b"0.5:10:cat", b"0.5:3:cat"),
        prediction(b"0.5:-1:cat", b"0.5:3:cat"),
        prediction(b"cat", b"0.5:3:cat"),
        prediction(b"0.5:3:\xff", b"0.5:3:cat"),
    ],
)
async def test_nonsense_is_never_a_prediction(nonsense: pb.ModelInferResponse) -> None:
    async with predictor(nonsense) as client:
        with pytest.raises(BadPrediction):
            await classified(client)


@pytest.mark.parametrize(
    ("answer", "leaf"),
    [
        (aborting(grpc.StatusCode.UNAVAILABLE), PredictorUnavailable),
        (aborting(grpc.StatusCode.UNAVAILABLE, "overloaded"), PredictorUnavailable),
        (aborting(grpc.StatusCode.CANCELLED), PredictorUnavailable),
        (aborting(grpc.StatusCode.DEADLINE_EXCEEDED), DeadlineExceeded),
        (aborting(grpc.StatusCode.NOT_FOUND, "model_not_found"), BadPrediction),
        (aborting(grpc.StatusCode.INVALID_ARGUMENT, "bad_input"), BadPrediction),
        (aborting(grpc.StatusCode.INTERNAL), BadPrediction),
        (aborting(grpc.StatusCode.UNIMPLEMENTED), BadPrediction),
    ],
)
async def test_a_refusal_is_told_without_its_details(answer: Answer, leaf: type[ServiceError]) -> None:
    async with predictor(answer) as client:
        with pytest.raises(leaf) as caught:
            await classified(client)
    assert type(caught.value) is leaf
    assert "secret" not in caught.value.message


async def test_after_a_mismatch_the_contract_is_learned_anew() -> None:
    async with predictor(aborting(grpc.StatusCode.FAILED_PRECONDITION, "contract_mismatch")) as client:
        with pytest.raises(ContractMismatch):
            await classified(client)
        assert client.facts is None


async def test_after_an_answer_of_another_version_the_facts_are_kept_until_the_next_request_learns_anew() -> None:
    newer = pb.ModelInferResponse()
    newer.CopyFrom(GOOD)
    newer.model_version = "8"
    told = config()
    async with predictor(newer, told) as client:
        assert (await classified(client)).model_version == "8"
        told.CopyFrom(config(info=json.dumps({"classes": 10, "model_version": "8"})))
        assert client.facts is not None
        assert client.facts.info["model_version"] == "7"
        assert (await client.meet()).info["model_version"] == "8"


async def test_a_predictor_of_another_contract_version_is_refused() -> None:
    async with predictor(told=config("2-bilinear-232-224")) as client:
        with pytest.raises(ContractMismatch, match="contract version 1, got version 2"):
            await classified(client)


@pytest.mark.parametrize("info", ["", "[]", "{}", '{"classes": "many"}', '{"classes": 10, "engine": "fast"}'])
async def test_a_config_without_our_facts_is_nonsense(info: str) -> None:
    async with predictor(told=config(info=info)) as client:
        with pytest.raises(BadPrediction):
            await classified(client)


async def test_a_predictor_that_takes_too_long_is_a_deadline() -> None:
    async def sleep(_: Any, __: Any) -> Any:
        await asyncio.sleep(30)

    async with predictor(sleep) as client:
        with pytest.raises(DeadlineExceeded):
            await classified(client, seconds=0.5)


async def test_a_refused_connection_is_told_within_the_time_to_connect() -> None:
    flags = ["--predictor_host=127.0.0.1:9", "--predictor_connect_seconds=0.3"]
    client = PredictorClient(read(TransformerSettings, flags))
    try:
        with pytest.raises(PredictorUnavailable):
            await classified(client)
        assert not await client.reachable()
    finally:
        await client.close()


async def test_each_of_several_predictors_behind_a_name_gets_its_share() -> None:
    asked = [0, 0]

    def counting(place: int) -> Answer:
        async def answer(_: Any, __: Any) -> pb.ModelInferResponse:
            asked[place] += 1
            return GOOD

        return answer

    servers = [await listening(counting(place)) for place in range(2)]
    addresses = ",".join(f"127.0.0.1:{port}" for _, port in servers)
    flags = [f"--predictor_host=ipv4:{addresses}", "--predictor_load_balancing=round_robin"]
    client = PredictorClient(read(TransformerSettings, flags))
    try:
        for _ in range(20):
            await classified(client)
    finally:
        await client.close()
        await asyncio.gather(*(server.stop(0) for server, _ in servers))
    assert sum(asked) == 20
    assert min(asked) >= 5
