"""Write `docs/metrics.md` from the catalogue itself: python -m scripts.metrics_table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import kserve.metrics
from prometheus_client.metrics import MetricWrapperBase

import predictor.metrics
import serving.metrics
import transformer.metrics

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"

SECTIONS: Mapping[str, ModuleType] = {
    "Both servers": serving.metrics,
    "Predictor": predictor.metrics,
    "Transformer": transformer.metrics,
    "kserve's own, on both servers": kserve.metrics,
}

HEAD = """# Metrics

<!-- written by `.venv/bin/python -m scripts.metrics_table`; a test holds it to the code -->

Both servers answer `GET /metrics` on their REST port: Prometheus' text format, or OpenMetrics, with exemplars, to whom
accepts it; compressed to whom asks for it; `?name[]=` takes some by name. Every series that can be known beforehand is
there from the start, at 0. `revision` is Knative's (`K_REVISION`), empty without it; `model_version` is that of the
answer. Besides, `prometheus_client` tells of the process (`process_*`, `python_*`).

What is shown where, and what raises an alert: [monitoring.md](monitoring.md).
"""


def document() -> str:
    """The whole of `docs/metrics.md`."""
    return "\n".join([HEAD, *(_section(title, module) for title, module in SECTIONS.items())])


def catalogue(module: ModuleType) -> Iterator[MetricWrapperBase]:
    """The metrics that a module defines."""
    return (value for value in vars(module).values() if isinstance(value, MetricWrapperBase))


def name(metric: MetricWrapperBase) -> str:
    """As a query spells it, without what a histogram adds."""
    (family,) = metric.describe()
    return f"{family.name}_total" if family.type == "counter" else family.name


def _section(title: str, module: ModuleType) -> str:
    rows = [_row(metric) for metric in catalogue(module)]
    return "\n".join([f"## {title}\n", "| metric | type | labels | meaning |", "|---|---|---|---|", *rows, ""])


def _row(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"| `{name(metric)}` | {family.type} | {labels} | {family.documentation} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
