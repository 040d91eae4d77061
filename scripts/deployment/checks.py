"""All that must hold before an overlay is deployed; every check runs, whatever the others found."""

from collections.abc import Callable, Iterator

from scripts.deployment import place_checks, platform_checks
from scripts.deployment.exchange import FORBIDDEN, UNREACHED, ClusterError
from scripts.deployment.findings import Finding, missing, note
from scripts.deployment.plan import Plan

Check = Callable[[Plan], Iterator[Finding]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("kubernetes", platform_checks.kubernetes),
    ("kinds", platform_checks.kinds),
    ("kserve", platform_checks.kserve),
    ("kserve", platform_checks.kserve_config),
    ("knative", platform_checks.knative),
    ("gateway", platform_checks.gateway),
    ("images", place_checks.images),
    ("runtime", place_checks.runtimes),
    ("storage", place_checks.storage),
    ("namespace", place_checks.namespace),
    ("mode", place_checks.modes),
    ("canary", place_checks.canaries),
    ("quota", place_checks.quota),
    ("permission", place_checks.permissions),
    ("admission", place_checks.admission),
)
"""Subject and check, in the order of what is told."""


def findings(plan: Plan) -> Iterator[Finding]:
    """What every check finds; an API server that does not answer is found once, and ends it."""
    for subject, check in CHECKS:
        try:
            yield from check(plan)
        except ClusterError as error:
            if error.status == UNREACHED:
                yield missing("cluster", f"an answer from {plan.cluster.address}", f"none: {error}")
                return
            yield _unchecked(subject, error)


def _unchecked(subject: str, error: ClusterError) -> Finding:
    """Who may deploy need not be allowed to look at all of the cluster."""
    if error.status == FORBIDDEN:
        return note(subject, f"not checked: {error}")
    return missing(subject, "an answer of the API server", error)
