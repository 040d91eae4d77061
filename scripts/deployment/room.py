"""Whether the quotas of a namespace leave room for the pods of an overlay."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from kubernetes.utils import parse_quantity

from scripts.deployment.exchange import Document

GIBIBYTE = 1 << 30
UNASKED = {"cpu": "1", "memory": "2Gi"}
"""What KServe gives a container that asks for nothing."""

_UNITS = {"cpu": "CPU"}

_FOR_LASTING_PODS = {"NotTerminating", "NotBestEffort"}
"""Scopes of quotas that count ours; others are for pods of another kind."""


class Shortage(NamedTuple):
    """Of `resource`, `needed` is more than the `left` of a quota."""

    resource: str
    needed: Decimal
    left: Decimal

    @property
    def needed_text(self) -> str:
        """Such as 12 CPU."""
        return f"{amount_text(self.resource, self.needed)} {_unit(self.resource)}"

    @property
    def left_text(self) -> str:
        """Such as 4."""
        return amount_text(self.resource, self.left)


def needs(deployments: Iterable[Document]) -> dict[str, Decimal]:
    """What the least number of pods takes of a quota's resources, by the names that quotas give them."""
    total: dict[str, Decimal] = {}
    for deployment in deployments:
        spec = deployment["spec"]
        replicas = max(1, spec["replicas"])  # a service that may not start is of no use
        for resource, amount in _of_pod(spec["template"]["spec"]):
            total[resource] = total.get(resource, Decimal(0)) + replicas * amount
    return total


def shortages(needed: dict[str, Decimal], quotas: Iterable[Document]) -> Iterator[Shortage]:
    """What the quotas do not leave room for."""
    for quota in quotas:
        if _counts(quota):
            yield from _short(needed, quota.get("status") or {})


def amount_text(resource: str, amount: Decimal) -> str:
    """As a person writes it: memory in Gi, cores and pods as numbers."""
    if resource.endswith("memory"):
        return f"{_number(amount / GIBIBYTE)}Gi"
    return _number(amount)


def _of_pod(pod: Document) -> Iterator[tuple[str, Decimal]]:
    yield "pods", Decimal(1)
    for container in pod["containers"]:
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for name, amount in (UNASKED | limits | requests).items():
            yield f"requests.{name}", parse_quantity(amount)
            if "/" not in name:
                yield name, parse_quantity(amount)
        for name, amount in (UNASKED | requests | limits).items():
            yield f"limits.{name}", parse_quantity(amount)


def _counts(quota: Document) -> bool:
    spec = quota.get("spec") or {}
    return "scopeSelector" not in spec and set(spec.get("scopes") or ()) <= _FOR_LASTING_PODS


def _short(needed: dict[str, Decimal], status: Document) -> Iterator[Shortage]:
    used = status.get("used") or {}
    for resource, most in (status.get("hard") or {}).items():
        name = "pods" if resource == "count/pods" else resource
        left = parse_quantity(most) - parse_quantity(used.get(resource, 0))
        if needed.get(name, Decimal(0)) > left:
            yield Shortage(name, needed[name], max(left, Decimal(0)))


def _unit(resource: str) -> str:
    name = resource.removeprefix("requests.").removeprefix("limits.")
    return _UNITS.get(name, name) + (" of limits" if resource.startswith("limits.") else "")


def _number(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01')).normalize():f}"
