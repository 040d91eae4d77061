"""From requests to figures."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cell import Cell, cell, medians, percentile
from benchmarks.load import Outcome, Sample
from scripts.errors import RunError

FIGURES = Cell("ours", "640x480", "c=1", 0, 10, 0, 40.0, 20.0, 30.0, 40.0, 50.0, 0.1)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [(range(101), 0.5, 50), (range(101), 0.99, 99), ([3, 1, 2], 0.5, 2), ([1, 2], 0.25, 1.25), ([7], 0.99, 7)],
)
def test_a_percentile_is_interpolated_between_neighbours(
    values: Sequence[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_between_the_least_and_the_largest(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values) * (1 + 1e-9)


def outcome(samples: Sequence[Sample]) -> Outcome:
    return Outcome(list(samples), 2.0, server_cpu_seconds=0.3, generator_cpu_seconds=0.03)


def samples(count: int, latency: float = 0.1, status: int = 200) -> list[Sample]:
    return [Sample(0, number * 0.1, latency, status, "") for number in range(count)]


def measured(*parts: list[Sample]) -> Cell:
    return cell("ours", "640x480", "c=1", 0, outcome(list(chain(*parts))))


def test_latencies_are_milliseconds() -> None:
    assert measured(samples(9)).p99_ms == pytest.approx(100)


def test_errors_are_counted_and_left_out_of_latency_rate_and_cost() -> None:
    found = measured(samples(5), samples(3, 9.0, 503), samples(2, 30.0, 0))
    assert (found.requests, found.errors, found.rate) == (10, 5, 10)
    assert found.p99_ms == pytest.approx(100)
    assert found.cpu_ms == pytest.approx(60)


def test_the_first_error_is_told() -> None:
    refused = Sample(0, 0.5, 0.25, 503, "busy")
    assert measured(samples(5), [refused], samples(1, 9.0, 0)).first_error == "503 after 0.250 s: busy"


def test_the_rate_is_that_up_to_the_last_answer() -> None:
    assert measured(samples(5), samples(1, latency=3.0)).rate == pytest.approx(6 / 3)


def test_late_answers_count_in_the_latencies() -> None:
    assert measured(samples(5), samples(5, latency=3.0)).p95_ms == pytest.approx(3000)


def test_a_contender_that_answers_nothing_stops_the_benchmark() -> None:
    with pytest.raises(RunError, match="ours, c=1, 640x480: none of 4 requests was answered"):
        measured(samples(4, status=500))


def test_the_median_over_rounds_is_taken_figure_by_figure() -> None:
    rounds = [replace(FIGURES, round=number, rate=rate, p50_ms=100 - rate) for number, rate in enumerate((10, 90, 40))]
    (found,) = medians(rounds)
    assert (found.rate, found.p50_ms) == (40, 60)


def test_requests_and_errors_of_all_rounds_are_added() -> None:
    (found,) = medians([replace(FIGURES, round=0, errors=1), replace(FIGURES, round=1, errors=2)])
    assert (found.requests, found.errors) == (20, 3)


def test_contenders_photos_and_loads_are_kept_apart() -> None:
    others = [replace(FIGURES, contender="plain"), replace(FIGURES, photos="4000x3000"), replace(FIGURES, load="c=4")]
    assert len(medians([FIGURES, *others])) == 4
