"""What an InferenceService says of itself: how it runs, what it serves, and whether it is ready."""

from collections.abc import Iterator
from typing import Any

from scripts.deployment.exchange import Document

MODE = "serving.kserve.io/deploymentMode"
KNATIVE = "Knative"
STANDARD = "Standard"
_FORMER_NAMES = {"Serverless": KNATIVE, "RawDeployment": STANDARD}


def normal_mode(mode: str) -> str:
    """Knative or Standard, also by their former names."""
    return _FORMER_NAMES.get(mode, mode)


def mode_of(service: Document, default: str = KNATIVE) -> str:
    """The deployment mode that it asks for, or `default`."""
    return normal_mode((service["metadata"].get("annotations") or {}).get(MODE, default))


def mode_in_effect(service: Document) -> str:
    """The deployment mode that it has on the cluster, which KServe never changes."""
    return normal_mode(_status(service).get("deploymentMode") or mode_of(service))


def runtimes_of(service: Document) -> set[str]:
    """The names of the runtimes that its predictors ask for."""
    return {model["runtime"] for model in _models(service) if "runtime" in model}


def storage_uris(service: Document) -> set[str]:
    """Where its bundles come from; empty when they are in the images."""
    return {model["storageUri"] for model in _models(service) if "storageUri" in model} | set(_variables(service))


def is_ready(service: Document) -> bool:
    """Whether KServe says so, and no newer revision of a component is still to come."""
    components = (_status(service).get("components") or {}).values()
    return _true(service, "Ready") and all(map(_is_current, components))


def traffic(service: Document) -> list[Document]:
    """Which revision of the predictor gets how much: Knative's own list."""
    return list(((_status(service).get("components") or {}).get("predictor") or {}).get("traffic") or [])


def share_of_latest(service: Document) -> int | None:
    """Percent of the predictor's traffic that its newest revision gets; None when there is no traffic at all."""
    shares = traffic(service)
    return sum(share.get("percent") or 0 for share in shares if share.get("latestRevision")) if shares else None


def _status(service: Document) -> Document:
    return service.get("status") or {}


def _models(service: Document) -> Iterator[Document]:
    spec = service["spec"]
    for predictor in (spec["predictor"], *(canary["predictor"] for canary in spec.get("canary") or [])):
        yield predictor.get("model") or {}


def _variables(service: Document) -> Iterator[Any]:
    containers = service["spec"]["predictor"].get("containers") or []
    variables = (variable for container in containers for variable in container.get("env") or [])
    return (variable["value"] for variable in variables if variable["name"] == "STORAGE_URI")


def _true(service: Document, kind: str) -> bool:
    conditions = _status(service).get("conditions") or []
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def _is_current(component: Document) -> bool:
    created = component.get("latestCreatedRevision")
    return created is None or created == component.get("latestReadyRevision")
