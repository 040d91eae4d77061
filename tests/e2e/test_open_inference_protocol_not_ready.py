"""The Open Inference Protocol for servers that are not ready: they live, say so, and refuse in the same form."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.assets import needs_assets
from tests.e2e import grpc_answers, grpc_rules, rest_refusals, rest_rules
from tests.e2e.faces import not_ready, of_table
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
