"""Which traces are kept, and what is told of them to a server that is asked."""

import re

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from serving import call, trace

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE_ID}-{PARENT_ID}-01", f"00-{TRACE_ID}-{PARENT_ID}-00"


@pytest.mark.parametrize("flags", ["01", "03", "ff"])
def test_a_trace_that_came_sampled_is_kept_under_its_id(flags: str) -> None:
    kept = call.begin({"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-{flags}"}, 1, 0).trace
    assert kept
    assert (kept.id, kept.parent_id) == (TRACE_ID, PARENT_ID)
    assert kept.span_id != PARENT_ID


@pytest.mark.parametrize("flags", ["00", "02", "fe"])
def test_a_trace_that_came_unsampled_is_not_kept_whatever_the_share(flags: str) -> None:
    traceparent = f"00-{TRACE_ID}-{PARENT_ID}-{flags}"
    begun = call.begin({"traceparent": traceparent}, 1, 1)
    assert begun.trace is None
    assert begun.trace_context == (("traceparent", traceparent),)


def test_nothing_is_kept_without_a_share_and_what_came_goes_on_as_it_is() -> None:
    begun = call.begin({"traceparent": SAMPLED, "tracestate": "vendor=1"}, 1)
    assert begun.trace is None
    assert begun.exemplar is None
    assert begun.trace_context == (("traceparent", SAMPLED), ("tracestate", "vendor=1"))


def test_of_traces_that_begin_here_all_none_or_a_share_are_kept() -> None:
    kept = {share: sum(call.begin({}, 1, share).trace is not None for _ in range(1000)) for share in (0.0, 0.5, 1.0)}
    assert (kept[0.0], kept[1.0]) == (0, 1000)
    assert 400 < kept[0.5] < 600


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_a_share_is_the_same_traces_that_the_sdk_would_keep(share: float) -> None:
    """So that a service before or after this one, with the same share, keeps the same ones."""
    sampler = TraceIdRatioBased(share)
    for _ in range(2000):
        traceparent = trace.begun(share)
        trace_id = int(traceparent.split("-")[1], 16)
        kept = sampler.should_sample(None, trace_id, "").decision is Decision.RECORD_AND_SAMPLE
        assert trace.sampled(traceparent) == kept


def test_a_trace_that_begins_here_has_no_parent_and_is_told_as_sampled() -> None:
    begun = call.begin({}, 1, 1)
    assert begun.trace
    assert begun.traceparent == f"00-{begun.trace.id}-{begun.trace.span_id}-01"
    assert begun.trace.parent_id == ""
    assert begun.exemplar == {"trace_id": begun.trace.id, "span_id": begun.trace.span_id}


def test_a_server_that_is_asked_within_a_stage_is_told_that_stage_as_its_parent() -> None:
    begun = call.begin({"traceparent": SAMPLED, "tracestate": "vendor=1"}, 1, 0)
    assert begun.trace
    with begun.stage("before"):
        pass
    with begun.stage("asking"):
        (_, told), state = begun.trace_context
        assert begun.trace_context == (("traceparent", told), state), "the same when it is asked again"
    with begun.stage("after"):
        pass
    assert state == ("tracestate", "vendor=1")
    assert re.fullmatch(f"00-{TRACE_ID}-[0-9a-f]{{16}}-01", told)
    before, asking, after = begun.trace.spans
    assert told.split("-")[2] == asking.id
    assert [span.asked for span in (before, asking, after)] == [False, True, False]
    assert len({PARENT_ID, begun.trace.span_id, before.id, asking.id, after.id}) == 5


@pytest.mark.parametrize("state", ["", "x" * 513, "ü=1", "a=1\nb=2"])
def test_a_tracestate_that_is_none_goes_no_further(state: str) -> None:
    begun = call.begin({"traceparent": UNSAMPLED, "tracestate": state}, 1)
    assert begun.trace_context == (("traceparent", UNSAMPLED),)


def test_a_tracestate_without_its_trace_goes_no_further() -> None:
    begun = call.begin({"tracestate": "vendor=1"}, 1)
    assert begun.trace_context == (("traceparent", begun.traceparent),)


def test_work_side_by_side_has_a_span_for_each_piece() -> None:
    begun = call.begin({}, 1, 1)
    assert begun.trace
    with begun.overlapping("decode", "queue") as timeline:
        timeline.add("queue", 1.0, 2.0)
        timeline.add("decode", 1.5, 3.0)
        timeline.add("decode", 2.0, 4.0)
    pieces = [(span.name, span.started, span.ended) for span in begun.trace.spans]
    assert sorted(pieces) == [("decode", 1.5, 3.0), ("decode", 2.0, 4.0), ("queue", 1.0, 2.0)]
    assert begun.stages == {"decode": 2500.0, "queue": 500.0}
