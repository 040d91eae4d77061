"""What an alert is shown, and what it must say: a row of the tables in tests/monitoring/cases/."""

from collections.abc import Mapping
from dataclasses import dataclass

NAMED = 'namespace="photos", inference_service="image-classifier"'
PREDICTOR = f'{NAMED}, component="predictor"'
TRANSFORMER = f'{NAMED}, component="transformer"'
COMPOSE = 'inference_service="image-classifier", component="transformer"'
"""Without a cluster: no namespace, no pod."""

_COMPONENTS = {"predictor": PREDICTOR, "transformer": TRANSFORMER}


@dataclass(frozen=True)
class Firing:
    """An alert's labels, but for its severity, and its description."""

    labels: str
    says: str


@dataclass(frozen=True)
class Case:
    """`series` are values from minute 0 on, in promtool's notation; at the time `at` exactly `fires` fire."""

    alert: str
    what: str
    series: Mapping[str, str]
    at: str
    fires: tuple[Firing, ...] = ()
    every: str = "1m"
    of: str = ""
    """The label that tells it from others of its name."""


def target(component: str, pod: str = "a") -> str:
    """The labels that a scrape adds."""
    return f'job="image-classifier", {_COMPONENTS[component]}, pod="{pod}", instance="{pod}:8080"'


def series(name: str, *labels: str) -> str:
    """A series."""
    return f"{name}{{{', '.join(labels)}}}"


def counted(per_minute: float, minutes: int = 60) -> str:
    """A counter that grows evenly."""
    return f"0+{per_minute}x{minutes}"


def histogram(name: str, labels: str, per_minute: Mapping[str, float], minutes: int = 60) -> dict[str, str]:
    """Buckets by their edges, the last one of all."""
    buckets = {series(f"{name}_bucket", labels, f'le="{edge}"'): counted(n, minutes) for edge, n in per_minute.items()}
    return buckets | {series(f"{name}_count", labels): counted(per_minute["+Inf"], minutes)}
