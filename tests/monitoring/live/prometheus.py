"""A real Prometheus on loopback, and what it answers."""

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.processes import free_port
from tests.monitoring.live.daemon import found, running, until

SETTLE_SECONDS = 30
CHAINED_RULES = 2
"""Groups that are evaluated each second, one of which may read what another has recorded."""


@dataclass(frozen=True)
class Sample:
    """One series of an answer; a scalar has no labels."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    """The HTTP API of one that runs."""

    client: httpx.Client

    def query(self, expr: str) -> list[Sample]:
        """What the expression is now; fails with what Prometheus has against it."""
        data = self._get("query", query=expr)
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def numbers(self, expr: str) -> list[float]:
        """What the expression is now, NaN left out: that is what a share of nothing is."""
        return [sample.value for sample in self.query(expr) if not math.isnan(sample.value)]

    def labels(self) -> dict[str, frozenset[str]]:
        """Of every name that was scraped or recorded, the labels that its series carry."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for series in self._get("series", **{"match[]": '{__name__!=""}'}):
            found[series["__name__"]] |= series.keys() - {"__name__"}
        return {name: frozenset(labels) for name, labels in found.items()}

    def firing(self) -> set[str]:
        """Names of alerts."""
        alerts = self._get("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def traces(self, expr: str) -> set[tuple[str, str]]:
        """Component and id of every trace that is an exemplar of the last minutes."""
        now = time.time()
        found = self._get("query_exemplars", query=expr, start=str(now - 300), end=str(now + 1))
        return {
            (series["seriesLabels"]["component"], exemplar["labels"]["trace_id"])
            for series in found
            for exemplar in series["exemplars"]
        }

    def until_settled(self) -> None:
        """Every target is scraped twice from now on, and then what is recorded from what is recorded is, too."""
        asked = time.time()
        until(lambda: self.query("min(timestamp(up))")[0].value > asked + 1, "two scrapes", SETTLE_SECONDS)
        until(lambda: self._rules_evaluated() > asked + 1 + CHAINED_RULES, "rules evaluated", SETTLE_SECONDS)

    def _rules_evaluated(self) -> float:
        """When the last of the groups was."""
        groups = self._get("rules")["groups"]
        return min(datetime.fromisoformat(group["lastEvaluation"]).timestamp() for group in groups)

    def _get(self, path: str, **parameters: str) -> Any:
        document = self.client.get(f"/api/v1/{path}", params=parameters).json()
        assert document["status"] == "success", f"{parameters}: {document['error']}"
        return document["data"]


@contextmanager
def prometheus(configuration: Path, home: Path) -> Iterator[Prometheus]:
    """Its data and its log are kept in `home`."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        found("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    ]
    with (
        running(command, f"http://{address}/-/ready", home / "prometheus.log"),
        httpx.Client(base_url=f"http://{address}", timeout=30) as client,
    ):
        yield Prometheus(client)
