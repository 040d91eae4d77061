"""A call keeps a sensible id and trace, measures its stages and knows its deadline."""

import re
import time

import pytest

from serving import call
from serving.errors import DeadlineExceeded

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_id_and_a_trace_that_came_along_are_kept() -> None:
    begun = call.begin({"x-request-id": "abc/1", "traceparent": TRACEPARENT}, 1)
    assert (begun.id, begun.traceparent) == ("abc/1", TRACEPARENT)
    assert call.current() is begun


@pytest.mark.parametrize("given", ["", "two words", "line\nbreak", "ü", "x" * 129])
def test_an_id_that_is_no_sensible_word_is_replaced(given: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", call.begin({"x-request-id": given}, 1).id)


@pytest.mark.parametrize(
    "given",
    [
        "",
        TRACEPARENT.upper(),
        TRACEPARENT.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        TRACEPARENT + "-more",
    ],
)
def test_an_invalid_trace_is_replaced_by_a_new_one(given: str) -> None:
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", call.begin({"traceparent": given}, 1).traceparent)


def test_two_calls_have_different_ids_and_traces() -> None:
    one, other = call.begin({}, 1), call.begin({}, 1)
    assert one.id != other.id
    assert one.traceparent != other.traceparent


def test_a_stage_that_runs_twice_adds_up_even_when_it_fails() -> None:
    begun = call.begin({}, 1)
    with begun.stage("work"):
        time.sleep(0.01)
    with pytest.raises(ValueError, match="negative"), begun.stage("work"):
        time.sleep(-1)
    assert 10 <= begun.stages["work"] < 1000


def test_a_deadline_that_is_over_is_told() -> None:
    call.begin({}, 1).check_deadline()
    with pytest.raises(DeadlineExceeded):
        call.begin({}, -0.001).check_deadline()
