"""What holds of every board and of every panel."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models import units

from monitoring import grafana
from monitoring.grafana import limits
from monitoring.grafana.grid import COLUMNS, placed, row
from monitoring.grafana.panels import Query, heatmap, stat
from monitoring.rules import alerts
from scripts.metrics_table import name
from tests.assets import PROJECT
from tests.monitoring.catalogue import collectors
from tests.monitoring.expressions import filled_in
from tests.monitoring.syntax import metrics

BOARDS = {file: json.loads(text) for file, text in grafana.boards().items()}
UNITS = {unit for name, unit in vars(units).items() if not name.startswith("_") and isinstance(unit, str)}
HISTOGRAMS = {name(collector) for collector in collectors()} | {"kn_serving_invocation_duration_seconds"}
DURATIONS = ("classifier_request_duration_seconds_bucket", "classifier_stage_duration_seconds_bucket")


def of_every_board(test: Any) -> Any:
    return pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)(test)


def panels(board: Any) -> list[Any]:
    """All but the headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("key", ["uid", "title"])
def test_no_two_boards_are_called_alike(key: str) -> None:
    assert len({board[key] for board in BOARDS.values()}) == len(BOARDS)


@of_every_board
def test_a_board_is_classic_and_found_by_its_tag(board: Any) -> None:
    assert (board["schemaVersion"], board["tags"]) == (42, ["image-classifier"])
    assert len(board["uid"]) <= 40


@of_every_board
def test_a_board_links_to_the_others_and_takes_its_choices_along(board: Any) -> None:
    (link,) = board["links"]
    assert (link["type"], link["tags"]) == ("dashboards", board["tags"])
    assert (link["includeVars"], link["keepTime"]) == (True, True)


@of_every_board
def test_a_board_shows_alerts_and_new_versions(board: Any) -> None:
    firing, versions = board["annotations"]["list"]
    assert metrics(filled_in(firing["expr"])) == {"ALERTS"}
    assert 'alertname!="Watchdog"' in firing["expr"]  # it always fires
    assert 'inference_service=~"($inference_service)|"' in firing["expr"]  # also one that names no service
    assert metrics(filled_in(versions["expr"])) == {"classifier_model_info"}


@of_every_board
def test_a_board_asks_for_the_data_source_the_namespace_and_the_model(board: Any) -> None:
    source, *variables = board["templating"]["list"]
    assert (source["type"], source["name"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert [variable["name"] for variable in variables[:2]] == ["namespace", "inference_service"]
    assert not any(variable["includeAll"] or variable["multi"] for variable in variables[:2])  # one service, not a mix


@of_every_board
def test_every_variable_is_there_for_a_panel(board: Any) -> None:
    shown = json.dumps(board["panels"]).replace("${", "$")
    assert [each["name"] for each in board["templating"]["list"] if f"${each['name']}" not in shown] == []


@of_every_board
def test_lines_of_panels_are_filled(board: Any) -> None:
    widths = Counter[int]()
    for panel in board["panels"]:
        widths[panel["gridPos"]["y"]] += panel["gridPos"]["w"]
    assert set(widths.values()) == {COLUMNS}


@of_every_board
def test_the_ids_of_panels_are_their_own(board: Any) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(0 < number < 2**31 for number in ids)


@of_every_board
def test_panels_lie_inside_the_grid_and_not_on_each_other(board: Any) -> None:
    assert misplaced(board["panels"]) == []


def test_panels_on_each_other_or_outside_are_noticed() -> None:
    one = {"title": "one", "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4}}
    assert misplaced([one, {"title": "on it", "gridPos": {"x": 3, "y": 3, "w": 4, "h": 4}}]) == ["on it"]
    assert misplaced([one, {"title": "outside", "gridPos": {"x": 22, "y": 0, "w": 4, "h": 4}}]) == ["outside"]


def test_a_panel_without_room_goes_below_the_highest_of_the_line() -> None:
    wide, (*low, last) = (
        heatmap("wide", "s", "up_seconds"),
        [stat(f"{each}", "s", "", Query("up")) for each in "abcd"],
    )
    spots = [(at.x, at.y) for panel in placed([row("row", *low, wide, last)]) if (at := panel.grid_pos)]
    assert spots == [(0, 0), (0, 1), (4, 1), (8, 1), (12, 1), (0, 9)]


@of_every_board
def test_every_panel_has_a_unit_that_grafana_knows(board: Any) -> None:
    assert {panel["fieldConfig"]["defaults"]["unit"] for panel in panels(board)} <= UNITS


@of_every_board
def test_panels_and_their_queries_read_the_chosen_data_source(board: Any) -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(board):
        assert panel["targets"], panel["title"]
        assert all(part["datasource"] == chosen for part in (panel, *panel["targets"])), panel["title"]


@of_every_board
def test_a_panel_says_which_metrics_it_shows_and_no_other(board: Any) -> None:
    for panel in panels(board):
        shown = {family(metric) for target in panel["targets"] for metric in metrics(filled_in(target["expr"]))}
        said = {word.strip(".,:;") for word in panel["description"].split()}
        assert shown <= said, panel["title"]
        assert {word for word in said - shown if word.startswith(("classifier_", "kn_", "kube_"))} == set(), panel[
            "title"
        ]


@of_every_board
def test_a_ratio_of_nothing_is_shown_as_no_traffic(board: Any) -> None:
    for panel in panels(board):
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        assert (mapping["options"]["match"], mapping["options"]["result"]["text"]) == ("nan", "No traffic")


def test_a_component_without_a_server_is_shown_as_0() -> None:
    (shown,) = (panel for panel in panels(BOARDS["overview.json"]) if panel["title"] == "Servers ready")
    (target,) = shown["targets"]
    for component in ("transformer", "predictor"):
        assert f'or label_replace(vector(0), "component", "{component}", "", "")' in target["expr"]
    assert target["legendFormat"] == "{{component}}"
    assert [step["color"] for step in shown["fieldConfig"]["defaults"]["thresholds"]["steps"]] == ["red", "green"]


def test_a_class_is_told_by_its_number_since_any_may_be_called_other() -> None:
    shown = [target["expr"] for board in BOARDS.values() for panel in panels(board) for target in panel["targets"]]
    of_classes = [expr for expr in shown if "topk" in expr]
    assert of_classes
    assert all('class_id!=""' in expr and "class_id, class_label" in expr for expr in of_classes)
    assert not any("class_label=" in expr or "class_label!" in expr for expr in shown)


def test_quantiles_of_durations_over_time_lead_to_traces() -> None:
    timed = [
        (panel["title"], target["exemplar"])
        for board in BOARDS.values()
        for panel in panels(board)
        for target in panel["targets"]
        if target.get("range") and "le)" in target["expr"] and any(name in target["expr"] for name in DURATIONS)
    ]
    assert timed
    assert [title for title, exemplar in timed if not exemplar] == []


def test_objectives_and_alerts_are_drawn_as_lines() -> None:
    drawn = {
        (file, panel["title"]): [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]][1:]
        for file, board in BOARDS.items()
        for panel in panels(board)
        if panel["type"] == "timeseries"
    }
    assert drawn["overview.json", "Latency"] == [0.1, 0.5]
    assert drawn["overview.json", "Burn rate (availability)"] == [1, 3, 6, 14.4]
    assert drawn["overview.json", "Share of errors"] == [0.05]
    assert drawn["saturation.json", "CPU"] == [0.8]
    assert drawn["saturation.json", "Memory"] == [0.85]
    assert drawn["canary.json", "p95, as a multiple of the others'"] == [1.25]


@pytest.mark.parametrize(
    ("alert", "lines"),
    [
        ("HighLatencyP95", limits.LATENCY),
        ("HighErrorRate", limits.SERVER_ERRORS),
        ("HighCPU", limits.CPU),
        ("HighMemory", limits.MEMORY),
        ("CanaryWorseThanStable", limits.CANARY_LATENCY),
        ("CanaryWorseThanStable", limits.CANARY_ERRORS),
    ],
)
def test_a_red_line_is_where_the_alert_begins(alert: str, lines: dict[float, str]) -> None:
    (red,) = [value for value, colour in lines.items() if colour == "red"]
    exprs = [each.expr for each in alerts() if each.name == alert]
    assert any(re.search(rf"> {red}(?![\d.])", expr) for expr in exprs), exprs


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    source = read("grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]
    assert source["jsonData"]["timeInterval"] == read("prometheus/prometheus.yaml")["global"]["scrape_interval"]


def read(path: str) -> Any:
    return yaml.safe_load(Path(PROJECT, "monitoring", path).read_text())


def misplaced(placed: list[Any]) -> list[str]:
    """Titles of panels that leave the grid or lie on an earlier one."""
    taken: set[tuple[int, int]] = set()
    wrong = []
    for panel in placed:
        at = panel["gridPos"]
        columns, lines = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        cells = set(itertools.product(columns, lines))
        if cells & taken or columns.stop > COLUMNS:
            wrong.append(panel["title"])
        taken |= cells
    return wrong


def family(series: str) -> str:
    """A histogram by its own name, without the endings of its series."""
    whole, _, ending = series.rpartition("_")
    return whole if ending in ("bucket", "sum", "count") and whole in HISTOGRAMS else series
