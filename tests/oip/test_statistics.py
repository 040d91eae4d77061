"""Statistics add up, as JSON and as messages."""

from typing import Any

from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from oip.statistics import COMPUTE, ModelStatistics, statistics_document, statistics_to_message

NS = st.integers(0, 10**12)


def of(document: dict[str, Any]) -> dict[str, Any]:
    (statistics,) = document["model_stats"]
    return dict(statistics)


@given(st.lists(st.tuples(st.integers(1, 64), NS, st.dictionaries(st.sampled_from(COMPUTE[:-1]), NS)), max_size=5))
def test_the_parts_of_what_succeeded_add_up_in_counts_and_nanoseconds(requests: list[Any]) -> None:
    statistics = ModelStatistics("m", "7")
    for images, total_ns, parts in requests:
        statistics.succeeded(images, total_ns, parts, now_ms=5)
    told = of(statistics_document([statistics]))
    parts = [told["inference_stats"][part] for part in COMPUTE]
    assert told["inference_count"] == sum(images for images, _, _ in requests)
    assert told["execution_count"] == told["inference_stats"]["success"]["count"] == len(requests)
    assert {part["count"] for part in parts} == {len(requests)}
    assert sum(part["ns"] for part in parts) == told["inference_stats"]["success"]["ns"]
    assert all(part["ns"] >= 0 for part in parts)


def test_the_document_has_the_members_of_triton() -> None:
    statistics = ModelStatistics("m", "7")
    statistics.succeeded(3, 100, {"queue": 10, "compute_infer": 60}, now_ms=123)
    statistics.succeeded(2, 50, {"compute_input": 5, "compute_infer": 90}, now_ms=124)
    assert of(statistics_document([statistics])) == {
        "name": "m",
        "version": "7",
        "last_inference": 124,
        "inference_count": 5,
        "execution_count": 2,
        "inference_stats": {
            "success": {"count": 2, "ns": 150},
            "fail": {"count": 0, "ns": 0},
            "queue": {"count": 2, "ns": 10},
            "compute_input": {"count": 2, "ns": 5},
            "compute_infer": {"count": 2, "ns": 105},
            "compute_output": {"count": 2, "ns": 30},
        },
        "batch_stats": [],
    }


def test_what_failed_is_counted_apart() -> None:
    statistics = ModelStatistics("m", "7")
    statistics.failed(3)
    statistics.failed(4)
    told = of(statistics_document([statistics]))
    assert told["inference_stats"]["fail"] == {"count": 2, "ns": 7}
    assert told["inference_stats"]["success"] == {"count": 0, "ns": 0}
    assert (told["inference_count"], told["last_inference"]) == (0, 0)


def test_the_message_says_what_the_document_says() -> None:
    statistics = ModelStatistics("m", "7")
    statistics.succeeded(3, 100, {"queue": 10, "compute_infer": 60}, now_ms=123)
    message = of(MessageToDict(statistics_to_message([statistics]), preserving_proto_field_name=True))
    document = of(statistics_document([statistics]))
    assert (message["name"], message["version"]) == ("m", "7")
    for member in ("last_inference", "inference_count", "execution_count"):
        assert int(message[member]) == document[member]
    for part, duration in document["inference_stats"].items():
        told = message["inference_stats"][part]
        assert {"count": int(told.get("count", 0)), "ns": int(told.get("ns", 0))} == duration
