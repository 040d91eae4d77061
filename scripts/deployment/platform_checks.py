"""What the cluster has to have installed: Kubernetes, KServe, Knative and the Gateway API, each new enough."""

import re
from collections.abc import Iterator

from scripts.deployment.exchange import Document
from scripts.deployment.findings import Finding, missing, note, ok
from scripts.deployment.flags import flags_of
from scripts.deployment.inference_service import KNATIVE, STANDARD
from scripts.deployment.plan import KNATIVE_NAMESPACE, KSERVE, KSERVE_NAMESPACE, SERVICE_CONFIG, Plan

Version = tuple[int, int]

KUBERNETES: Version = (1, 29)
KSERVE_VERSION: Version = (0, 20)
KNATIVE_VERSION: Version = (1, 15)

CONTROLLER = "kserve-controller-manager"
KNATIVE_CRD = "services.serving.knative.dev"
VERSION_LABEL = "app.kubernetes.io/version"

OF_KSERVE = (
    ("serving.kserve.io/v1beta1", "InferenceService"),
    (KSERVE, "ServingRuntime"),
    (KSERVE, "ClusterServingRuntime"),
)
POLICY_GROUP = "gateway.envoyproxy.io/"
GATEWAY = "gateway.networking.k8s.io/v1"
CRDS = "apiextensions.k8s.io/v1"


def kubernetes(plan: Plan) -> Iterator[Finding]:
    """The API server answers and is new enough."""
    yield _judged("kubernetes", KUBERNETES, plan.cluster.version(), f" at {plan.cluster.address}")


def kinds(plan: Plan) -> Iterator[Finding]:
    """The cluster serves KServe's kinds and every kind of the overlay."""
    of_overlay = {(document["apiVersion"], document["kind"]) for document in plan.overlay.documents}
    for api_version, kind in sorted(of_overlay | set(OF_KSERVE)):
        if not plan.cluster.serves(api_version, kind):
            yield missing(_owner(api_version), f"the cluster to serve {kind} ({api_version})", "nothing")


def kserve(plan: Plan) -> Iterator[Finding]:
    """KServe's controller runs and is new enough."""
    controller = plan.cluster.read("apps/v1", "Deployment", CONTROLLER, KSERVE_NAMESPACE)
    if controller is None:
        yield missing("kserve", f"its controller {CONTROLLER} in namespace {KSERVE_NAMESPACE}", "none")
        return
    if not (controller.get("status") or {}).get("availableReplicas"):
        yield missing("kserve", f"a running pod of {CONTROLLER}", "none")
    yield _judged("kserve", KSERVE_VERSION, _controller_version(controller))


def kserve_config(plan: Plan) -> Iterator[Finding]:
    """KServe's settings are there, and fit how the services run and what the overlay hangs on its routes."""
    if plan.service_config is None:
        yield missing("kserve", f"the ConfigMap {SERVICE_CONFIG} in namespace {KSERVE_NAMESPACE}", "none")
        return
    mode = plan.setting("deploy", "defaultDeploymentMode")
    if mode is None:
        yield missing("kserve", f"deploy.defaultDeploymentMode in {SERVICE_CONFIG}", "none")
    else:
        yield ok("kserve", f"its default mode is {mode}, the overlay's {' and '.join(sorted(plan.modes))}")
    if KNATIVE in plan.modes and _needs_istio(plan):
        wanted = "ingress.disableIstioVirtualHost true where Knative's network is not Istio"
        yield note("kserve", f"expected {wanted}, found it unset and no Istio")


def knative(plan: Plan) -> Iterator[Finding]:
    """Where services run on Knative: it is new enough, and its flags let the pods through."""
    if KNATIVE not in plan.modes:
        return
    if not plan.cluster.serves("serving.knative.dev/v1", "Service"):
        yield missing("knative", f"{_text(KNATIVE_VERSION)} or newer", "none")
        return
    yield _judged("knative", KNATIVE_VERSION, _knative_version(plan))
    yield from _flags(plan)


def gateway(plan: Plan) -> Iterator[Finding]:
    """Where the overlay has policies for a route: KServe makes that route, of the Gateway API, in Standard mode."""
    policies = [document for document in plan.overlay.documents if document["apiVersion"].startswith(POLICY_GROUP)]
    if not policies:
        return
    names = ", ".join(document["metadata"]["name"] for document in policies)
    if not plan.cluster.serves(GATEWAY, "HTTPRoute"):
        yield missing("gateway", f"the Gateway API ({GATEWAY} HTTPRoute) for {names}", "none")
    if plan.setting("ingress", "enableGatewayApi") is not True:
        yield missing("gateway", f"ingress.enableGatewayApi true in {SERVICE_CONFIG} for {names}", "it unset")
    if plan.modes != {STANDARD}:
        yield missing("gateway", f"deploymentMode Standard for {names}", " and ".join(sorted(plan.modes)))


def _owner(api_version: str) -> str:
    """Whose kinds they are, as a person calls it."""
    if "kserve" in api_version:
        return "kserve"
    return "gateway" if "gateway" in api_version else api_version.partition("/")[0]


def _controller_version(controller: Document) -> str:
    containers = controller["spec"]["template"]["spec"]["containers"]
    image = next((entry["image"] for entry in containers if entry["name"] == "manager"), containers[0]["image"])
    tag = image.partition("@")[0].rpartition(":")[2]
    if _version(tag):
        return str(tag)
    return str((controller["metadata"].get("labels") or {}).get(VERSION_LABEL, image))


def _knative_version(plan: Plan) -> str:
    definition = plan.cluster.read(CRDS, "CustomResourceDefinition", KNATIVE_CRD) or {"metadata": {}}
    return str((definition["metadata"].get("labels") or {}).get(VERSION_LABEL, "no label with a version"))


def _needs_istio(plan: Plan) -> bool:
    if plan.setting("ingress", "disableIstioVirtualHost") is True:
        return False
    return not plan.cluster.serves("networking.istio.io/v1beta1", "VirtualService")


def _flags(plan: Plan) -> Iterator[Finding]:
    config = plan.cluster.read("v1", "ConfigMap", "config-features", KNATIVE_NAMESPACE) or {}
    data = config.get("data") or {}
    needed = {flag for pods in plan.pods for flag in flags_of(pods["spec"]["template"]["spec"])}
    for flag in sorted(needed, key=lambda flag: flag.name):
        found = str(data.get(flag.name, flag.default)).lower()
        if found == "disabled":
            yield missing("knative", f"{flag.name} enabled in config-features, for {flag.field}", found)


def _judged(subject: str, least: Version, found: str, where: str = "") -> Finding:
    version = _version(found)
    if version is None:
        return note(subject, f"expected {_text(least)} or newer, found {found}, which tells no version")
    if version < least:
        return missing(subject, f"{_text(least)} or newer", found.removeprefix("v"))
    return ok(subject, f"{found.removeprefix('v')}{where}")


def _version(text: str) -> Version | None:
    matched = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(matched[1]), int(matched[2])) if matched else None


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
