"""Every command of the README gives the answer that stands there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets import needs_assets
from tests.e2e.console import ROOT, Addresses, commands, documented_servers

pytestmark = [needs_assets, pytest.mark.slow]

COMMANDS = commands(ROOT / "README.md")


@pytest.fixture(scope="module")
def documented(squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with documented_servers(squeezenet, tmp_path_factory.mktemp("readme")) as (_, addresses):
        yield addresses


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_a_command_gives_the_answer_that_stands_there(documented: Addresses, number: int) -> None:
    COMMANDS[number].check(documented)
