"""The Open Inference Protocol for servers that are not ready: they live, say so, and refuse in the same form."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from oip import inference_pb2 as pb
from oip.grpc import SERVICE
from tests.assets import needs_assets
from tests.e2e import grpc_answers, grpc_rules, rest_refusals, rest_rules
from tests.e2e.faces import SERVERS, not_ready, of_table, process
from tests.e2e.processes import Pair

pytestmark = needs_assets


@pytest.fixture(scope="module")
def unready(squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with not_ready(squeezenet, tmp_path_factory.mktemp("not_ready")) as servers:
        yield servers


@pytest.mark.parametrize(("server", "case"), of_table(rest_refusals.NOT_READY))
def test_over_rest(unready: Pair, server: str, case: rest_rules.Case) -> None:
    with ExitStack() as stack:
        rest_rules.Asked(stack, unready, server).check(case)


@pytest.mark.parametrize(("server", "case"), of_table(grpc_answers.NOT_READY))
def test_over_grpc(unready: Pair, server: str, case: grpc_rules.Case) -> None:
    with ExitStack() as stack:
        grpc_rules.Asked(stack, unready, server).check(case)


def called(address: str, method: str, request: Any) -> Any:
    """The answer to one of Triton's extensions."""
    with grpc.insecure_channel(address) as channel:
        asked: Any = channel.unary_unary(f"/{SERVICE}/{method}")
        return getattr(pb, f"{method}Response").FromString(asked(request.SerializeToString(), timeout=30))


@pytest.mark.parametrize("server", SERVERS)
def test_the_repository_lists_the_model_as_unavailable(unready: Pair, server: str) -> None:
    asked = process(unready, server)
    (over_rest,) = httpx.post(f"{asked.url}/v2/repository/index").json()
    (over_grpc,) = called(asked.grpc, "RepositoryIndex", pb.RepositoryIndexRequest()).models
    assert over_rest["state"] == over_grpc.state == "UNAVAILABLE"
    assert httpx.post(f"{asked.url}/v2/repository/index", json={"ready": True}).json() == []
    assert not called(asked.grpc, "RepositoryIndex", pb.RepositoryIndexRequest(ready=True)).models


def test_a_transformer_has_no_config_before_it_has_met_its_predictor(unready: Pair) -> None:
    transformer = unready.transformer
    answer = httpx.get(f"{transformer.url}/v2/models/photos/config")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    with pytest.raises(grpc.RpcError) as caught:
        called(transformer.grpc, "ModelConfig", pb.ModelConfigRequest(name="photos"))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_transformer_has_no_statistics_of_no_version(unready: Pair) -> None:
    transformer = unready.transformer
    for path in ("photos/stats", "stats"):
        assert httpx.get(f"{transformer.url}/v2/models/{path}").json() == {"model_stats": []}
    assert httpx.post(f"{transformer.url}/predict", content=b"x").status_code == 503
    assert not called(transformer.grpc, "ModelStatistics", pb.ModelStatisticsRequest(name="photos")).model_stats
