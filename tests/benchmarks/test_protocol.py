"""How the benchmark measures and judges; never how fast anything is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmarks.protocol import (
    BINARY,
    GRPC,
    JSON,
    OURS,
    STOCK,
    Contender,
    Ratio,
    Timing,
    check,
    measure,
    ratios,
    schedule,
    table,
    timing,
    turns,
)
from scripts.errors import RunError

PICTURES = np.arange(2 * 4, dtype=np.uint8).reshape(2, 2, 2, 1)
CORNERS = [3.0, 7.0]


def contender(door: str = GRPC, send: Callable[[], bytes] = bytes, answer: list[float] | None = None) -> Contender:
    return Contender(OURS, door, 1, send, lambda _: answer or [])


def timings(medians: Mapping[tuple[str, str], float], batch: int = 1) -> list[Timing]:
    return [Timing(server, door, batch, 9, median, 99.0) for (server, door), median in medians.items()]


MEDIANS = {
    (OURS, GRPC): 2.0,
    (OURS, BINARY): 3.0,
    (OURS, JSON): 30.0,
    (STOCK, GRPC): 4.0,
    (STOCK, BINARY): 320.0,
    (STOCK, JSON): 50.0,
}


def test_contenders_take_turns() -> None:
    assert list(schedule(3, [3, 3, 3])) == [0, 1, 2] * 3


def test_a_contender_with_fewer_turns_spreads_them_over_the_rounds() -> None:
    assert list(schedule(6, [6, 2])) == [0, 0, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("count", range(1, 8))
def test_a_contender_gets_as_many_turns_as_it_was_given(count: int) -> None:
    assert list(schedule(7, [count])) == [0] * count


@pytest.mark.parametrize(("seconds", "expected"), [(0.001, 40), (0.6, 20), (1e9, 5)])
def test_a_slow_contender_gets_fewer_turns_and_never_fewer_than_five(seconds: float, expected: int) -> None:
    assert turns(seconds, 40) == expected


def test_requests_are_sent_in_turn_and_timed_one_by_one() -> None:
    sent: list[str] = []
    now = 0.0

    def sending(door: str, seconds: float) -> Contender:
        def send() -> bytes:
            nonlocal now
            sent.append(door)
            now += seconds
            return b""

        return contender(door, send)

    measured = measure([sending(GRPC, 1.0), sending(JSON, 2.0)], rounds=5, clock=lambda: now)
    assert sent[-10:] == [GRPC, JSON] * 5
    assert [(each.door, each.turns, each.median_ms) for each in measured] == [(GRPC, 5, 1000.0), (JSON, 5, 2000.0)]


def test_a_timing_is_median_and_95th_percentile_in_milliseconds() -> None:
    assert timing(contender(), range(101)) == Timing(OURS, GRPC, 1, 101, median_ms=50_000, p95_ms=95_000)


def test_one_slow_request_does_not_move_the_median() -> None:
    assert timing(contender(), [0.001] * 9 + [10]).median_ms == pytest.approx(1)


def test_the_ratios_are_those_of_the_medians() -> None:
    assert ratios(timings(MEDIANS)) == [
        Ratio(1, f"{BINARY} / {GRPC}, {OURS}", 1.5, 4),
        Ratio(1, f"{BINARY} / {GRPC}, {STOCK}", 80),
        Ratio(1, f"{JSON}, {OURS} / {STOCK}", 0.6, 0.5),
    ]


def test_each_batch_size_has_ratios_of_its_own() -> None:
    both = timings(MEDIANS) + timings(MEDIANS | {(OURS, BINARY): 12.0}, batch=8)
    assert [(each.batch, each.value) for each in ratios(both)[::3]] == [(1, 1.5), (8, 6.0)]


def test_the_table_says_for_each_target_whether_it_was_held() -> None:
    lines = table(timings(MEDIANS), ratios(timings(MEDIANS))).splitlines()
    assert lines[-3].endswith("1.50  at most 4: held")
    assert lines[-2].endswith(" 80.00")
    assert lines[-1].endswith("0.60  at most 0.5: MISSED")


def test_the_table_has_a_line_for_each_contender() -> None:
    lines = table(timings(MEDIANS), []).splitlines()
    assert [line.split()[-3:] for line in lines[1:7]] == [["9", f"{ms:.2f}", "99.00"] for ms in MEDIANS.values()]


def test_the_right_answer_passes_the_check() -> None:
    check(contender(answer=CORNERS), PICTURES)


@pytest.mark.parametrize("answer", [[3.0, 6.0], [3.0], []])
def test_a_wrong_answer_stops_the_benchmark(answer: list[float]) -> None:
    with pytest.raises(RunError, match=r"ours, gRPC raw: expected \[3, 7\], got"):
        check(contender(answer=answer), PICTURES)


def test_too_few_rounds_are_refused() -> None:
    refused = run("--rounds", "4")
    assert refused.returncode == 2
    assert "--rounds: expected at least 5, got 4" in refused.stderr


@pytest.mark.slow
def test_a_run_asks_every_door_of_both_servers_and_writes_the_figures(tmp_path: Path) -> None:
    finished = run("--rounds", "5", "--json", str(tmp_path / "figures.json"))
    assert finished.stderr == ""
    assert finished.stdout.count(BINARY) == 8
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [(each["server"], each["door"], each["batch"]) for each in figures["timings"]] == [
        (server, door, batch) for batch in (1, 8) for server, door in MEDIANS
    ]
    assert len(figures["ratios"]) == 6
    assert figures["machine"]["cores"] == os.cpu_count()


def run(*argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "benchmarks.protocol", *argv], capture_output=True, text=True)
