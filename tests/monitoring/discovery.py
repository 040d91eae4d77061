"""What the Prometheus operator makes of a PodMonitor, and what Prometheus then makes of the pods of a cluster.

What the operator puts before a monitor's own relabelings stands in its pkg/prometheus/promcfg.go
(generatePodMonitorConfig), the labels of a pod in Prometheus' discovery/kubernetes/pod.go.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.manifests.rendered import Document

DISCOVERY_SECONDS = 1

_META = "__meta_kubernetes_"
_POD = f"{_META}pod_"

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Container:
    """A container of a pod; `ports` by name."""

    name: str
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pod:
    """A pod as Prometheus discovers it."""

    name: str
    labels: Labels
    containers: Sequence[Container]
    phase: str = "Running"
    namespace: str = "photos"
    ip: str = "10.1.2.3"

    def targets(self) -> Iterator[Document]:
        """One for each port of a container, and one for a container without any."""
        for container in self.containers:
            name = {f"{_POD}container_name": container.name}
            if not container.ports:
                yield {"targets": [self.ip], "labels": self._meta() | name}
            for port_name, number in container.ports.items():
                port = {f"{_POD}container_port_name": port_name, f"{_POD}container_port_number": str(number)}
                address = f"[{self.ip}]:{number}" if ":" in self.ip else f"{self.ip}:{number}"
                yield {"targets": [address], "labels": self._meta() | name | port}

    def _meta(self) -> dict[str, str]:
        own = {f"{_META}namespace": self.namespace, f"{_POD}name": self.name, f"{_POD}phase": self.phase}
        for name, value in self.labels.items():
            own |= {f"{_POD}label_{_plain(name)}": value, f"{_POD}labelpresent_{_plain(name)}": "true"}
        return own


def scraped(monitors: Sequence[Document], pods: Sequence[Pod], scratch: Path) -> list[dict[str, str]]:
    """The labels of each target that real Prometheus would scrape; a scrape takes targets that are alike for one."""
    targets = [target for pod in pods for target in pod.targets()]
    scrapes = [scrape for monitor in monitors for scrape in _scrapes(monitor)]
    for scrape in scrapes:
        scrape["static_configs"] = targets
    configuration = scratch / "prometheus.yaml"
    configuration.write_text(yaml.safe_dump({"scrape_configs": scrapes}))
    found = [labels for scrape in scrapes for labels in _discovered(configuration, scrape["job_name"])]
    return [dict(labels) for labels in sorted(found)]


def _scrapes(monitor: Document) -> Iterator[Document]:
    for number, endpoint in enumerate(monitor["spec"]["podMetricsEndpoints"]):
        yield {
            "job_name": f"podMonitor/{monitor['metadata']['name']}/{number}",
            "relabel_configs": [
                {"action": "drop", "source_labels": [f"{_POD}phase"], "regex": "(Failed|Succeeded)"},
                *_selection(monitor["spec"]["selector"]),
                *_port(endpoint),
                {"source_labels": [f"{_META}namespace"], "target_label": "namespace"},
                {"source_labels": [f"{_POD}container_name"], "target_label": "container"},
                {"source_labels": [f"{_POD}name"], "target_label": "pod"},
                *_job(monitor),
                *({"target_label": "endpoint", "replacement": endpoint["port"]} for _ in range("port" in endpoint)),
                *map(_snake, endpoint.get("relabelings", ())),
            ],
        }


def _selection(selector: Document) -> Iterator[Document]:
    wanted = [(name, [value]) for name, value in selector.get("matchLabels", {}).items()]
    wanted += [(each["key"], each["values"]) for each in selector.get("matchExpressions", ())]  # of ours, all are In
    for name, values in wanted:
        sources = [f"{_POD}label_{_plain(name)}", f"{_POD}labelpresent_{_plain(name)}"]
        yield {"action": "keep", "source_labels": sources, "regex": f"({'|'.join(values)});true"}


def _port(endpoint: Document) -> Iterator[Document]:
    if "port" in endpoint:
        yield {"action": "keep", "source_labels": [f"{_POD}container_port_name"], "regex": endpoint["port"]}


def _job(monitor: Document) -> Iterator[Document]:
    yield {"target_label": "job", "replacement": f"photos/{monitor['metadata']['name']}"}
    if "jobLabel" in monitor["spec"]:
        source = f"{_POD}label_{_plain(monitor['spec']['jobLabel'])}"
        yield {"source_labels": [source], "target_label": "job", "regex": "(.+)"}


def _discovered(configuration: Path, job: str) -> set[tuple[tuple[str, str], ...]]:
    command = ("promtool", "check", "service-discovery", f"--timeout={DISCOVERY_SECONDS}s", configuration, job)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kept = [target["labels"].items() for target in json.loads(done.stdout) if target["labels"]]
    return {tuple(sorted(label for label in labels if not label[0].startswith("__"))) for labels in kept}


def _plain(label: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", label)


def _snake(relabeling: Document) -> dict[str, Any]:
    return {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name): value for name, value in relabeling.items()}
