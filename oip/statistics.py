"""Counts and times of a model's requests, in the terms of Triton's statistics extension, as JSON and as messages.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from oip import inference_pb2 as pb

COMPUTE = ("queue", "compute_input", "compute_infer", "compute_output")
"""What the time of a request that succeeded is made of."""


@dataclass(slots=True)
class Duration:
    """How often, and how many nanoseconds all together."""

    count: int = 0
    ns: int = 0

    def add(self, ns: int) -> None:
        self.count += 1
        self.ns += ns


@dataclass(slots=True)
class ModelStatistics:
    """One version of one model. The parts of COMPUTE add up to `success`, in counts and in nanoseconds."""

    name: str
    version: str
    last_inference: int = 0
    inference_count: int = 0
    execution_count: int = 0
    durations: dict[str, Duration] = field(
        default_factory=lambda: {part: Duration() for part in ("success", "fail", *COMPUTE)}
    )

    def succeeded(self, images: int, total_ns: int, parts_ns: Mapping[str, int], now_ms: int) -> None:
        """Count a request that gave answers for so many images; its parts do not overlap.

        Time in none of them is `compute_output`; what the rounding of clocks puts over the total is left out.
        """
        self.last_inference = now_ms
        self.inference_count += images
        self.execution_count += 1
        self.durations["success"].add(total_ns)
        rest_ns = total_ns
        for part in COMPUTE[:-1]:
            ns = min(parts_ns.get(part, 0), rest_ns)
            self.durations[part].add(ns)
            rest_ns -= ns
        self.durations[COMPUTE[-1]].add(rest_ns)

    def failed(self, total_ns: int) -> None:
        """Count a request that ended in an error."""
        self.durations["fail"].add(total_ns)


def statistics_document(statistics: Iterable[ModelStatistics]) -> dict[str, Any]:
    """`{"model_stats": […]}`."""
    return {"model_stats": [_document(each) for each in statistics]}


def statistics_to_message(statistics: Iterable[ModelStatistics]) -> pb.ModelStatisticsResponse:
    return pb.ModelStatisticsResponse(model_stats=[_message(each) for each in statistics])


def _document(statistics: ModelStatistics) -> dict[str, Any]:
    document = asdict(statistics)
    return document | {"inference_stats": document.pop("durations"), "batch_stats": []}


def _message(statistics: ModelStatistics) -> pb.ModelStatistics:
    durations = {
        part: pb.StatisticDuration(count=duration.count, ns=duration.ns)
        for part, duration in statistics.durations.items()
    }
    return pb.ModelStatistics(
        name=statistics.name,
        version=statistics.version,
        last_inference=statistics.last_inference,
        inference_count=statistics.inference_count,
        execution_count=statistics.execution_count,
        inference_stats=pb.InferStatistics(**durations),
    )
