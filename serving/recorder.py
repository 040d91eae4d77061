"""What a server records of its requests and of itself, in the metrics of the catalogue."""

import asyncio
import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from typing import Any

from serving import cgroup, cores, metrics, version
from serving.call import Call
from serving.dataplane import DataPlane
from serving.outcome import OK, OUTCOMES
from serving.recent import Recent

_LAG_SECONDS = 0.5


class Recorder:
    """Counts and times every request; the doors that infer are announced, so that their series begin at 0."""

    def __init__(self, plane: DataPlane, revision: str) -> None:
        self._plane = plane
        self.revision = revision
        self._doors: dict[str, str] = {}
        self._versions: Recent[str] = Recent(_forget_version)
        self._model_info: list[list[str]] = []

    def expect(self, method: str, route: str) -> None:
        """Announce a door that infers."""
        self._doors[route] = method

    def begin(self) -> None:
        """Set what stays as it is, and give every series its 0."""
        metrics.BUILD_INFO.labels(
            version.VERSION, platform.python_version(), installed_version("kserve"), self.revision
        ).set(1)
        metrics.IN_FLIGHT_LIMIT.set(self._plane.max_in_flight)
        metrics.CPU_LIMIT.set(cores.cpu_limit_cores())
        metrics.MEMORY_LIMIT.set(min([_memory_bytes(), *cgroup.memory_limits()]))
        for stage in (stage for model in self._plane.models.values() for stage in model.stages):
            metrics.STAGE_DURATION.labels(stage, self.revision)
        self.refresh()

    def refresh(self) -> None:
        """Bring up to date what is only looked at when it is scraped."""
        metrics.IN_FLIGHT.set(self._plane.in_flight)
        metrics.READY.set(self._plane.ready_to_serve)
        for model in self._plane.models.values():
            self._expect_version(model.version)
            model.refresh_metrics()
        self._tell_models()

    def count(self, call: Call, method: str, route: str) -> None:
        """One request that is over."""
        code = call.error_code or OK
        outcome = OUTCOMES[code]
        if route not in self._doors:
            metrics.OTHER_REQUESTS.labels(route, method, outcome).inc()
            return
        model_version = call.model_version or self._met_version()
        self._expect_version(model_version)
        metrics.REQUESTS.labels(route, method, outcome, code, self.revision, model_version).inc()
        metrics.REQUEST_DURATION.labels(route, outcome, self.revision, model_version).observe(
            call.elapsed_ms / 1000, call.exemplar
        )
        for stage, ms in dict(call.stages).items():  # a thread may still add to those of a request that was given up
            metrics.STAGE_DURATION.labels(stage, self.revision).observe(ms / 1000, call.exemplar)

    async def watch_event_loop(self) -> None:
        """Until cancelled."""
        while True:
            asked = time.monotonic() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            metrics.EVENT_LOOP_LAG.observe(max(0.0, time.monotonic() - asked))

    def _tell_models(self) -> None:
        """Anew only when it changed: another scrape may be read at the same time."""
        described = [_described(model.info()) for model in self._plane.models.values() if model.version]
        if described == self._model_info:
            return
        self._model_info = described
        metrics.MODEL_INFO.clear()
        for labels in described:
            metrics.MODEL_INFO.labels(*labels).set(1)

    def _met_version(self) -> str:
        return next((model.version for model in self._plane.models.values()), "")

    def _expect_version(self, model_version: str) -> None:
        """A series that appears with its first event has no rate of it."""
        if not self._versions.is_new(model_version):
            return
        for route, method in self._doors.items():
            for code, outcome in OUTCOMES.items():
                metrics.REQUESTS.labels(route, method, outcome, code, self.revision, model_version)
            for outcome in ("success", "server_error"):
                metrics.REQUEST_DURATION.labels(route, outcome, self.revision, model_version)


def _forget_version(model_version: str) -> None:
    for metric in (metrics.REQUESTS, metrics.REQUEST_DURATION):
        metric.remove_by_labels({"model_version": model_version})


def _described(info: Mapping[str, Any]) -> list[str]:
    """The values of the labels of `MODEL_INFO`, of what `/model/info` answers."""
    engine = info.get("engine", {})
    of_model = [info.get(key, "") for key in ("model_name", "model_version", "revision", "architecture")]
    of_engine = [engine.get(key, "") for key in ("name", "precision", "device")]
    return [*map(str, (*of_model, *of_engine, info.get("fingerprint", ""))), str(info.get("trained", "")).lower()]


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
