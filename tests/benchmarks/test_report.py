"""What is printed and drawn."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.cell import Cell, Start
from benchmarks.figures import Figures
from benchmarks.plan import Plan
from benchmarks.plot import plot
from benchmarks.report import document, load_table, start_table, target_table, text
from benchmarks.targets import Target, targets

PLAIN = Cell("plain", "640x480", "c=20", 0, 100, 0, 10.0, 100.0, 150.0, 200.0, 90.0, 0.1)
OURS = replace(PLAIN, contender="ours <bfloat16>", rate=30.0, p50_ms=40.0, errors=2)
FLOOR = replace(PLAIN, contender="floor bfloat16 serial", rate=40.0)
STARTS = [Start("plain", number, seconds, 900_000_000) for number, seconds in enumerate((3.0, 9.0, 4.0))]
FIGURES = Figures([PLAIN, OURS, FLOOR, replace(OURS, load="c=1")], STARTS, [], None, None)
PLAN = Plan(Path("somewhere/resnet50"), (), (), (), 3, 10.0, {}, ("litserve: package litserve is not installed",))


def cells(line: str) -> list[str]:
    return [part.strip() for part in line.strip("|").split("|")]


def test_a_load_has_a_row_for_each_contender_in_their_order() -> None:
    rows = [cells(line) for line in load_table(FIGURES, {})][2:]
    assert [row[1:3] for row in rows] == [
        ["c=20", "plain"],
        ["c=20", "ours <bfloat16>"],
        ["c=20", "floor bfloat16 serial"],
        ["c=1", "ours <bfloat16>"],
    ]


def test_a_row_has_its_ratios_to_the_plain_way_and_to_the_floor() -> None:
    rows = [cells(line) for line in load_table(FIGURES, {"ours <bfloat16>": "bfloat16"})]
    assert rows[0][-3:] == ["rate / plain", "p50 / plain", "rate / floor"]
    assert rows[3][-3:] == ["3.00", "0.40", "0.75"]


def test_a_row_under_a_load_that_the_plain_way_did_not_get_has_none() -> None:
    assert [cells(line) for line in load_table(FIGURES, {})][-1][-3:] == ["-", "-", "-"]


def test_a_row_counts_requests_and_errors() -> None:
    assert cells(list(load_table(FIGURES, {}))[3])[3:5] == ["100", "2"]


def test_start_and_memory_are_medians() -> None:
    assert cells(list(start_table(FIGURES))[2]) == ["plain", "4.00", "900"]


def test_a_target_shows_value_limit_and_verdict() -> None:
    judged = [Target("figure", 2.5, "at least", 2.8), Target("other", None, "under", 100)]
    assert [cells(line) for line in target_table(judged)][2:] == [
        ["figure", "2.50", "at least 2.8", "MISSED"],
        ["other", "-", "under 100", "not measured"],
    ]


def test_the_text_says_where_how_and_who_was_left_out() -> None:
    printed = text(PLAN, FIGURES, targets(FIGURES), {"ours bfloat16": "bfloat16"})
    for part in ("cores of", "openvino 20", "3 rounds, 10 s a load", "ours bfloat16: bfloat16", "left out: litserve"):
        assert part in printed


def test_the_document_holds_every_round_and_no_path() -> None:
    found = document(PLAN, FIGURES, targets(FIGURES), {})
    assert len(found["cells"]) == 4
    assert found["settings"]["bundle"] == "resnet50"
    assert found["targets"][0]["verdict"] == "not measured"
    assert set(found["machine"]) == {"platform", "processor", "cores", "memory_bytes", "python"}


def test_the_drawing_has_a_bar_for_each_contender_of_each_load() -> None:
    drawing = ElementTree.fromstring(plot(FIGURES))  # noqa: S314  # ours
    spaces = "{http://www.w3.org/2000/svg}"
    words = [element.text for element in drawing.iter(f"{spaces}text")]
    assert words.count("ours <bfloat16>") == 2
    assert "30.0" in words
    assert len(list(drawing.iter(f"{spaces}rect"))) == 1 + 3 + 1
