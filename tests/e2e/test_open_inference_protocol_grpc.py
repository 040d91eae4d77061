"""The published Open Inference Protocol over gRPC, rule by rule, on both servers.

Rules are those of open_inference_grpc.proto and inference_grpc.md (https://github.com/kserve/open-inference-protocol);
the messages are kserve's own generated ones.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.assets import needs_assets
from tests.e2e.faces import SERVERS, of_table
from tests.e2e.grpc_answers import ANSWERS, NOT_READY
from tests.e2e.grpc_refusals import REFUSALS
from tests.e2e.grpc_rules import Asked, Case, Deviation
from tests.e2e.processes import Pair

pytestmark = needs_assets

CASES = (*ANSWERS, *REFUSALS)


@pytest.fixture(scope="module")
def ready(servers: Pair) -> Iterator[dict[str, Asked]]:
    with ExitStack() as stack:
        yield {server: Asked(stack, servers, server) for server in SERVERS}


@pytest.mark.parametrize(("server", "case"), of_table(CASES, ["predictor"]))
def test_the_predictor(ready: dict[str, Asked], server: str, case: Case) -> None:
    ready[server].check(case)


@pytest.mark.parametrize(("server", "case"), of_table(CASES, ["transformer"]))
def test_the_transformer(ready: dict[str, Asked], server: str, case: Case) -> None:
    ready[server].check(case)


def test_every_deviation_of_kserve_is_closed_by_a_case() -> None:
    assert {case.closes for case in (*CASES, *NOT_READY) if not case.fails} - {None} == set(Deviation)


def test_no_rule_stands_twice() -> None:
    rules = [case.rule for case in CASES]
    assert sorted(rules) == sorted(set(rules))
