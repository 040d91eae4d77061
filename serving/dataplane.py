"""What every door calls: find the model, admit the request, keep its deadline, let the model answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from kserve.model_repository import ModelRepository
from kserve.protocol.dataplane import DataPlane as KServeDataPlane

from oip.metadata import ModelState
from oip.statistics import ModelStatistics
from oip.tensor import ModelMetadata
from serving import call
from serving.errors import ModelNotFound, NotReady, Overloaded, Unavailable
from serving.model import ServedModel

_PARTS = {
    "queue": ("queue", "meet"),
    "compute_input": ("read", "fetch", "decode", "preprocess"),
    "compute_infer": ("inference", "predictor_rpc"),
}
"""Which of a call's stages each part of the statistics is made of."""


class DataPlane(KServeDataPlane):
    """kserve's data plane, bounded: never more than `max_in_flight` requests, each with a deadline."""

    def __init__(self, model_registry: ModelRepository, max_in_flight: int) -> None:
        super().__init__(model_registry=model_registry)
        self.max_in_flight = max_in_flight
        self.in_flight = 0
        self.draining = False
        self._statistics: dict[tuple[str, str], ModelStatistics] = {}

    @property
    def models(self) -> Mapping[str, ServedModel]:
        models: Mapping[str, ServedModel] = self.model_registry.get_models()
        return models

    def check_alive(self) -> None:
        """Raise Unavailable when something has died that only a new process can bring back: liveness probes ask."""
        if not all(model.alive for model in self.models.values()):
            raise Unavailable("a part of the server has died")

    @property
    def ready_to_serve(self) -> bool:
        """Loaded, warmed and not draining: what Kubernetes probes."""
        return bool(self.models) and all(map(self.is_ready, self.models.values()))

    def is_ready(self, model: ServedModel) -> bool:
        """What every door says of a model: none is ready on a server that drains."""
        return not self._why_not_ready(model)

    def model(self, name: str, version: str = "") -> ServedModel:
        """The model of that name; raises ModelNotFound for an unknown name or version."""
        model = self.models.get(name)
        if model is None:
            raise ModelNotFound(f"model: expected one of {', '.join(self.models)}, got {name[:100]!r}")
        if version and version != model.version:
            raise ModelNotFound(f"version of model {name}: expected {model.version!r}, got {version[:100]!r}")
        return model

    async def get_model(self, name: str) -> ServedModel:
        """As kserve's, which would load a model that is not ready on the event loop."""
        return self.model(name)

    @asynccontextmanager
    async def admitted(self, model_name: str, version: str = "") -> AsyncIterator[ServedModel]:
        """A place for one request, over REST from before its body is read, until its answer is made.

        Raises ModelNotFound, NotReady, Overloaded; DeadlineExceeded when the call's time is over.
        """
        model = self.model(model_name, version)
        current = call.current()
        current.model_name, current.model_version = model.name, model.version
        if not model.accepts:
            raise NotReady(f"model {model_name} is not ready yet")
        if self.in_flight >= self.max_in_flight:
            raise Overloaded(f"requests in flight: expected at most {self.max_in_flight}, all places are taken")
        self.in_flight += 1
        answered = False
        try:
            async with asyncio.timeout(current.remaining_seconds):
                yield model
            answered = True
        finally:
            self.in_flight -= 1
            current.model_version = current.model_version or model.version
            self._count(current, answered=answered)

    def statistics(self, name: str = "", version: str = "") -> list[ModelStatistics]:
        """Of every version that the model has had, or of all models; raises ModelNotFound."""
        models = [self.model(name, version)] if name else self.models.values()
        for model in models:
            if model.version:
                self._of(model.name, model.version)
        return [each for each in self._statistics.values() if name in {"", each.name} and version in {"", each.version}]

    def index(self, *, ready_only: bool) -> list[ModelState]:
        """Every model with its state, or those that are ready."""
        states = [ModelState(model.name, model.version, self._why_not_ready(model)) for model in self.models.values()]
        return [state for state in states if state.ready or not ready_only]

    def config(self, name: str, version: str) -> tuple[ModelMetadata, Mapping[str, str]]:
        """Metadata and config parameters of a model that can answer; raises ModelNotFound, else NotReady.

        A transformer that has been told its predictor's config may send it requests.
        """
        model = self.model(name, version)
        if not model.accepts:
            raise NotReady(f"model {name} is not ready yet")
        return model.metadata(), model.config_parameters()

    async def answer(self, model: ServedModel, request: Any) -> Any:
        """Run an admitted request through the model's preprocess, predict and postprocess."""
        response, _ = await self.infer(model.name, request, headers={})
        return response

    def _why_not_ready(self, model: ServedModel) -> str:
        """Empty when it is ready."""
        if self.draining:
            return "the server is stopping"
        if not model.alive:
            return "a part of the server has died"
        return "" if model.ready and model.accepts else "the model is not ready yet"

    def _count(self, current: call.Call, *, answered: bool) -> None:
        """Nothing is counted of a request that failed before the model's version was known."""
        if not current.model_version:
            return
        statistics = self._of(current.model_name, current.model_version)
        total_ns = int(current.elapsed_ms * 1e6)
        if answered:
            statistics.succeeded(current.images, total_ns, _parts_ns(current.stages), time.time_ns() // 1_000_000)
        else:
            statistics.failed(total_ns)

    def _of(self, name: str, version: str) -> ModelStatistics:
        return self._statistics.setdefault((name, version), ModelStatistics(name, version))


def _parts_ns(stages: Mapping[str, float]) -> dict[str, int]:
    return {part: int(sum(stages.get(stage, 0.0) for stage in names) * 1e6) for part, names in _PARTS.items()}
