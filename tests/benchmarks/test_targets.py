"""What is judged, and the ratios that it is judged by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.cell import Cell, Start
from benchmarks.decode import Change, Result
from benchmarks.figures import Figures, p50, rate
from benchmarks.plan import STEADY
from benchmarks.starting import Starting
from benchmarks.targets import ERRORS, HELD, MISSED, UNMEASURED, Target, targets

FIGURES = Cell("plain", "640x480", "c=20", 0, 100, 0, 10.0, 100.0, 150.0, 200.0, 90.0, 0.1)
NOTHING = Figures([], [], [], None, None)


def measured(*cells: Cell, **others: Any) -> Figures:
    return replace(NOTHING, cells=cells, **others)


def a_cell(contender: str, load: str = "c=20", **figures: Any) -> Cell:
    return replace(FIGURES, contender=contender, load=load, **figures)


def judged(figures: Figures) -> Mapping[str, Target]:
    return {each.name: each for each in targets(figures)}


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    # The machine was three times slower in the second round, and the ratios are 2, 3 and 2.5.
    ours = [a_cell("ours bfloat16", round=number, rate=rate) for number, rate in enumerate((20, 10, 25))]
    plain = [a_cell("plain", round=number, rate=rate) for number, rate in enumerate((10, 10 / 3, 10))]
    assert measured().ratio(rate, ours, plain) == pytest.approx(2.5)


def test_rounds_are_matched_by_their_number() -> None:
    figures = measured(a_cell("plain", round=1, rate=4.0), a_cell("plain", round=0, rate=2.0))
    assert [each.rate for each in figures.rounds("plain", "640x480", "c=20")] == [2, 4]


@pytest.mark.parametrize("theirs", [[], [a_cell("plain", rate=0.0)]], ids=["nobody", "too small to measure"])
def test_there_is_no_ratio_to_what_was_not_measured(theirs: list[Cell]) -> None:
    assert measured().ratio(rate, [a_cell("ours bfloat16")], theirs) is None


def test_the_floor_is_the_best_of_its_ways_in_the_same_precision() -> None:
    ways = {"bfloat16 serial": 30.0, "bfloat16 batch 8": 36.0, "bfloat16 overlapped": 33.0, "int8 serial": 70.0}
    figures = measured(*(a_cell(f"floor {way}", rate=value) for way, value in ways.items()))
    assert [each.contender for each in figures.floor("bfloat16", "640x480", "c=20")] == ["floor bfloat16 batch 8"]


def test_a_floor_beside_another_load_is_not_compared_with() -> None:
    assert measured(a_cell("floor int8 serial", load="c=4")).floor("int8", "640x480", "c=20") == []


@pytest.mark.parametrize(
    ("bound", "value", "verdict"),
    [
        ("at least", 2.0, HELD),
        ("at least", 1.99, MISSED),
        ("at most", 2.0, HELD),
        ("at most", 2.01, MISSED),
        ("under", 1.99, HELD),
        ("under", 2.0, MISSED),
        ("at most", None, UNMEASURED),
    ],
)
def test_a_verdict_compares_value_and_limit(bound: Any, value: float | None, verdict: str) -> None:
    assert Target("figure", value, bound, 2.0).verdict == verdict


def test_a_target_is_not_held_by_refusing_requests() -> None:
    assert Target("figure", 9.0, "at least", 2.0, errors=1).verdict == ERRORS


def test_what_was_not_measured_is_listed_and_not_judged() -> None:
    assert {each.verdict for each in targets(NOTHING)} == {UNMEASURED}


def test_throughput_is_held_against_the_plain_way_in_each_precision() -> None:
    rates = {"ours float32": 15.0, "ours bfloat16": 27.0, "ours int8": 42.0}
    found = judged(measured(a_cell("plain"), *(a_cell(name, rate=value) for name, value in rates.items())))
    verdicts = [found[f"rate at c=20, {name} / plain"].verdict for name in rates]
    assert verdicts == [HELD, MISSED, HELD]


def test_latency_of_one_client_is_held_against_the_plain_way() -> None:
    found = judged(measured(a_cell("plain", "c=1", p50_ms=80.0), a_cell("ours int8", "c=1", p50_ms=30.0)))
    assert found["p50 at c=1, ours int8 / plain"].value == pytest.approx(0.375)
    assert found["p50 at c=1, ours int8 / plain"].verdict == MISSED


def test_latency_at_a_constant_rate_is_held_in_milliseconds_and_against_the_plain_way() -> None:
    found = judged(measured(a_cell("plain", "15/s", p95_ms=1000.0), a_cell("ours bfloat16", "15/s", p95_ms=99.0)))
    assert found["p95 at 15/s in ms, ours bfloat16"].verdict == HELD
    assert found["p95 at 15/s, ours bfloat16 / plain"].value == pytest.approx(0.099)


def test_the_tail_is_held_against_that_of_the_floor() -> None:
    ours = a_cell("ours bfloat16", STEADY, p50_ms=50.0, p99_ms=75.0)
    floor = a_cell("floor bfloat16 overlapped", STEADY, p50_ms=40.0, p99_ms=44.0)
    assert judged(measured(ours, floor))[f"p99 / p50 at {STEADY}, ours bfloat16 / floor bfloat16"].value == (
        pytest.approx(1.5 / 1.1)
    )


def test_cpu_time_is_judged_beyond_that_of_decoding_and_forward_alone() -> None:
    cells = (a_cell("ours bfloat16", cpu_ms=57.0), a_cell("floor bfloat16 serial", cpu_ms=50.0))
    target = judged(measured(*cells))["CPU-ms beyond decode and forward at c=20, ours bfloat16"]
    assert (target.value, target.verdict) == (7.0, MISSED)


def test_start_memory_decode_and_batcher_are_judged() -> None:
    figures = measured(
        starts=[Start("ours bfloat16", 0, 3.0, 480_000_000)],
        startings=[Starting(0, 1.5, 1.0), Starting(1, 3.0, 1.5)],
        decode=Result(100, 40, Change(0.1, 3)),
        batcher_ms=0.4,
    )
    found = {name: (each.value, each.verdict) for name, each in judged(figures).items() if each.value is not None}
    assert found == {
        "12-megapixel decode and resize, fast / exact": (0.4, HELD),
        "predictor's start to ready / import of kserve and openvino": (1.75, MISSED),
        "PSS after load in MB, ours bfloat16": (480, HELD),
        "batcher and queue on an idle server, added ms": (0.4, HELD),
    }


def test_the_value_of_a_figure_is_its_median() -> None:
    cells = [a_cell("plain", round=number, p50_ms=value) for number, value in enumerate((1.0, 9.0, 2.0))]
    assert measured(*cells).value(p50, "plain", "640x480", "c=20") == 2
