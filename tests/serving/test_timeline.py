"""Work that goes on side by side is told without counting a moment twice."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import call
from serving.timeline import Timeline

NAMES = ("decode", "fetch", "wait")
SPANS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 50), st.integers(0, 50)), max_size=20)


@given(SPANS)
def test_the_shares_are_the_moments_in_which_anything_went_on(spans: list[tuple[str, int, int]]) -> None:
    timeline = Timeline(*NAMES)
    for name, started, seconds in spans:
        timeline.add(name, started, started + seconds)
    moments: dict[int, str] = {}
    for name in NAMES:
        for _, started, seconds in (span for span in spans if span[0] == name):
            for moment in range(started, started + seconds):
                moments.setdefault(moment, name)
    expected = {name: 1000.0 * list(moments.values()).count(name) for name, *_ in spans}
    assert timeline.shares_ms() == pytest.approx(expected)


def test_a_kind_of_work_that_there_was_none_of_has_no_share() -> None:
    timeline = Timeline(*NAMES)
    timeline.add("fetch", 1.0, 1.5)
    assert timeline.shares_ms() == {"fetch": 500.0}


def test_work_that_fails_is_noted() -> None:
    timeline = Timeline("work")
    with pytest.raises(ValueError, match="negative"), timeline.of("work"):
        time.sleep(-1)
    assert timeline.shares_ms().keys() == {"work"}


def test_stages_side_by_side_in_threads_are_at_most_the_time_of_the_call() -> None:
    begun = call.begin({}, 10)
    with begun.overlapping("work") as timeline:

        def work() -> None:
            with timeline.of("work"):
                time.sleep(0.1)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 100 <= begun.stages["work"] <= begun.elapsed_ms


def test_stages_side_by_side_add_up_with_those_before() -> None:
    begun = call.begin({}, 10)
    begun.stages["work"] = 1000.0
    with begun.overlapping("work") as timeline:
        timeline.add("work", 1.0, 3.0)
    assert begun.stages["work"] == 3000.0
