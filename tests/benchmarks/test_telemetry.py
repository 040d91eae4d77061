"""How the cost of metrics and traces is measured and judged; never how much it is."""

import subprocess
import sys

import pytest

from benchmarks.telemetry import METRICS, SILENT, TRACES, costs, table

FIGURES = {SILENT: [1000.0, 2000.0, 1500.0], METRICS: [1100.0, 2140.0, 1620.0], TRACES: [1130.0, 2150.0, 1690.0]}


def test_a_cost_is_the_median_of_the_differences_in_the_same_round() -> None:
    assert [cost.median_us for cost in costs(FIGURES)] == [120, 30]


@pytest.mark.parametrize(("more", "held"), [(150, True), (151, False)])
def test_a_cost_over_its_target_is_missed(more: float, held: bool) -> None:
    figures = {SILENT: [0.0], METRICS: [float(more)], TRACES: [float(more)]}
    metrics, traces = costs(figures)
    assert (metrics.held, traces.held) == (held, True)
    assert ("MISSED" in table(figures, [metrics, traces])) is not held


def test_the_table_has_every_pair_and_every_cost() -> None:
    lines = table(FIGURES, costs(FIGURES)).splitlines()
    assert lines[1].split() == ["nothing", "noted", "1500", "1000", "2000"]
    assert lines[-2].split()[:2] == [METRICS, "120"]


@pytest.mark.slow
def test_it_asks_three_pairs_of_real_servers_in_turn() -> None:
    command = [sys.executable, "-m", "benchmarks.telemetry", "--rounds", "1", "--requests", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode in {0, 1}, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines()[1:4]] == [SILENT, METRICS, TRACES]
    assert not done.stderr
