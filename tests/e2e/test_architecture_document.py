"""`docs/architecture.md` tells every point where the servers leave kserve's path."""

from enum import Enum
from pathlib import Path

import pytest

from tests.e2e import grpc_rules, rest_rules

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"


@pytest.mark.parametrize(
    "deviation", [*rest_rules.Deviation, *grpc_rules.Deviation], ids=lambda each: f"{type(each).__module__}.{each.name}"
)
def test_every_deviation_stands_there_with_its_reason(deviation: Enum) -> None:
    rows = [row.split("|") for row in DOCUMENT.read_text().splitlines() if row.startswith("|")]
    cells = [[cell.strip() for cell in row[1:-1]] for row in rows if row[1].strip() == deviation.value]
    assert cells
    assert all(all(row) for row in cells)
