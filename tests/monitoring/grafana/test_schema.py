"""Boards are what Grafana's schema says a dashboard is, and the check of that notices what is not."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from monitoring.grafana import boards
from tests.monitoring.grafana.schema import faults

BOARDS = boards()
Change = Callable[[Any], Any]


def panel(board: Any, kind: str) -> Any:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def options(board: Any) -> Any:
    return panel(board, "stat")["options"]


def defaults(board: Any) -> Any:
    return panel(board, "timeseries")["fieldConfig"]["defaults"]


def target(board: Any) -> Any:
    return panel(board, "timeseries")["targets"][0]


def variable(board: Any) -> Any:
    return board["templating"]["list"][1]


WRONG_TYPES: dict[str, Change] = {
    "title": lambda board: board.update(title=1),
    "schemaVersion": lambda board: board.update(schemaVersion="42"),
    "editable": lambda board: board.update(editable="no"),
    "tags[0]": lambda board: board.update(tags=[1]),
    "gridPos.w": lambda board: panel(board, "stat")["gridPos"].update(w="4"),
    "unit": lambda board: defaults(board).update(unit=1),
    "colorMode": lambda board: options(board).update(colorMode="loud"),
    "lineWidth": lambda board: defaults(board)["custom"].update(lineWidth="1"),
    "stacking.mode": lambda board: defaults(board)["custom"].update(stacking={"mode": "piled"}),
    "thresholds.steps": lambda board: defaults(board)["thresholds"].update(steps="green"),
    "mappings": lambda board: defaults(board).update(mappings=[{"type": "special", "options": {"match": "none"}}]),
    "expr": lambda board: target(board).update(expr=1),
    "exemplar": lambda board: target(board).update(exemplar="yes"),
    "transformations[0].id": lambda board: panel(board, "table")["transformations"][0].update(id=1),
    "multi": lambda board: variable(board).update(multi="yes"),
    "refresh": lambda board: variable(board).update(refresh=9),
    "iconColor": lambda board: board["annotations"]["list"][0].update(iconColor=None),
    "keepTime": lambda board: board["links"][0].update(keepTime=1),
}
UNKNOWN: dict[str, Change] = {
    "board": lambda board: board.update(surprise=1),
    "panel": lambda board: panel(board, "heatmap").update(surprise=1),
    "options": lambda board: options(board).update(surprise=1),
    "custom": lambda board: defaults(board)["custom"].update(surprise=1),
    "target": lambda board: target(board).update(surprise=1),
    "transformation": lambda board: panel(board, "table")["transformations"][0].update(surprise=1),
    "variable": lambda board: variable(board).update(surprise=1),
    "annotation": lambda board: board["annotations"]["list"][0].update(surprise=1),
    "link": lambda board: board["links"][0].update(surprise=1),
}
MISSING: dict[str, Change] = {
    "schemaVersion": lambda board: board.pop("schemaVersion"),
    "annotation's name": lambda board: board["annotations"]["list"][0].pop("name"),
    "link's icon": lambda board: board["links"][0].pop("icon"),
    "panel's type": lambda board: board["panels"][1].pop("type"),
}


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_keeps_the_schema(name: str) -> None:
    assert faults(BOARDS[name]) == []


@pytest.mark.parametrize("field", WRONG_TYPES)
def test_a_wrong_type_is_noticed(field: str) -> None:
    assert faults(changed(WRONG_TYPES[field]))


@pytest.mark.parametrize("part", UNKNOWN)
def test_an_unknown_field_is_noticed(part: str) -> None:
    (fault,) = faults(changed(UNKNOWN[part]))
    assert "surprise" in fault


@pytest.mark.parametrize("field", MISSING)
def test_a_missing_field_is_noticed(field: str) -> None:
    assert faults(changed(MISSING[field]))


def changed(change: Change) -> str:
    board = json.loads(BOARDS["overview.json"])
    change(board)
    return json.dumps(board)
