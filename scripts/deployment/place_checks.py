"""Whether the overlay fits its namespace: images, runtimes, Pod Security, quota, and what this person may do there."""

import re
from collections.abc import Iterator
from typing import Any

from scripts.deployment.cluster import title
from scripts.deployment.exchange import UNREACHED, ClusterError, Document
from scripts.deployment.findings import Finding, Level, missing, note, ok
from scripts.deployment.inference_service import mode_in_effect, mode_of
from scripts.deployment.plan import Plan
from scripts.deployment.room import needs, shortages

ZEROS = re.compile(r"@sha256:0{64}$")
LEVEL = "pod-security.kubernetes.io/enforce"
UNTRIED = re.compile(r"does not support dry run|cannot (patch|create) resource")
"""What the API server says of a webhook that has side effects, and of a permission, which has a check of its own."""

VERBS = ("get", "create", "patch")
"""What server-side apply and the wait for its effect take."""


def images(plan: Plan) -> Iterator[Finding]:
    """No image has the digest of zeros that stands in `manifests/components/images`."""
    for image in sorted({image for document in plan.overlay.documents for image in _images(document)}):
        if ZEROS.search(image):
            name = image.partition("@")[0]
            yield missing("images", f"the digest of your {name} in manifests/components/images", "zeros")


def runtimes(plan: Plan) -> Iterator[Finding]:
    """Every runtime that a predictor names is in the overlay or on the cluster."""
    for name, runtime in plan.runtimes.items():
        if runtime is None:
            yield missing("runtime", f"{name} in the overlay or on the cluster", "none")


def storage(plan: Plan) -> Iterator[Finding]:
    """Where bundles come from, which only a pod can try."""
    for uri in plan.storage_uris:
        yield note("storage", f"KServe's storage initializer fetches {uri} with the secrets of the service account")


def namespace(plan: Plan) -> Iterator[Finding]:
    """The namespace is there or in the overlay, and its Pod Security level admits the pods."""
    name = plan.overlay.namespace
    rendered = [document for document in plan.overlay.of_kind("Namespace") if document["metadata"]["name"] == name]
    found = [*rendered, *([plan.namespace] if plan.namespace else [])]
    if not found:
        yield missing("namespace", f"{name} to exist", f"none: kubectl create namespace {name}")
        return
    level = next((labels[LEVEL] for labels in map(_labels, found) if LEVEL in labels), "privileged")
    if level == "restricted" and plan.storage_uris:
        wanted = f"a Pod Security level below restricted in namespace {name}, or a bundle in the image (overlay baked)"
        yield missing("namespace", wanted, "storageUri, whose initializer KServe gives no security context")
    else:
        yield ok("namespace", f"{name}, Pod Security level {level}")


def modes(plan: Plan) -> Iterator[Finding]:
    """No service on the cluster has another deployment mode, which KServe never changes."""
    for service in plan.services:
        current = plan.cluster.current(service)
        if current is not None and mode_in_effect(current) != mode_of(service):
            where = f"in which {service['metadata']['name']} runs until it is undeployed"
            yield missing("mode", f"{mode_in_effect(current)}, {where}", mode_of(service))


def canaries(plan: Plan) -> Iterator[Finding]:
    """No canary runs, or was rolled back, of which the overlay does not know: what is deployed would get its share."""
    for service in plan.services:
        current = plan.cluster.current(service)
        percent = current["spec"]["predictor"].get("canaryTrafficPercent") if current is not None else None
        if percent is not None and "canaryTrafficPercent" not in service["spec"]["predictor"]:
            wanted = f"no canary of {service['metadata']['name']}, or it in the overlay"
            yield missing("canary", wanted, f"one at {percent} %: promote it or end it (docs/deployment.md)")


def quota(plan: Plan) -> Iterator[Finding]:
    """Quotas leave room for the least number of pods; for services that run already that is only worth a note."""
    name = plan.overlay.namespace
    if plan.namespace is None:
        return
    runs = all(plan.cluster.current(service) for service in plan.services)
    for short in shortages(needs(plan.pods), plan.cluster.listed("v1", "ResourceQuota", name)):
        finding = missing("quota", f"room for {short.needed_text} in namespace {name}", short.left_text)
        yield Finding(Level.NOTE, finding.subject, f"{finding.text}: new pods may wait") if runs else finding


def permissions(plan: Plan) -> Iterator[Finding]:
    """This person may read, create and patch every kind of the overlay."""
    kinds = {(document["apiVersion"], document["kind"], _namespace(document)) for document in plan.overlay.documents}
    for api_version, kind, namespace in sorted(kinds):
        plural = plan.cluster.plural(api_version, kind)
        if plural is None:
            continue
        group = api_version.rpartition("/")[0]
        refused = [verb for verb in VERBS if not _may(plan, verb, group, plural, namespace)]
        if refused:
            resource = f"{plural}.{group}" if group else plural
            where = f" in namespace {namespace}" if namespace else ""
            yield missing("permission", f"to {', '.join(refused)} {resource}{where}", "it forbidden")


def admission(plan: Plan) -> Iterator[Finding]:
    """The cluster's admission, KServe's webhooks among it, takes every object: a dry run, which changes nothing."""
    if plan.namespace is None:
        return
    for document in plan.overlay.documents:
        error = _refusal(plan, document)
        if error is not None:
            yield missing("admission", f"{title(document)} to be admitted", error)


def _refusal(plan: Plan, document: Document) -> ClusterError | None:
    """None also where no dry run can tell."""
    if not plan.cluster.serves(document["apiVersion"], document["kind"]):
        return None
    try:
        plan.cluster.apply(document, force=plan.force, dry_run=True)
    except ClusterError as error:
        if error.status == UNREACHED:
            raise
        return None if UNTRIED.search(str(error)) else error
    return None


def _may(plan: Plan, verb: str, group: str, plural: str, namespace: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
    review = plan.cluster.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
    )
    return bool((review.get("status") or {}).get("allowed"))


def _namespace(document: Document) -> str:
    return str(document["metadata"].get("namespace", ""))


def _labels(document: Document) -> dict[str, str]:
    return document["metadata"].get("labels") or {}


def _images(value: Any) -> Iterator[str]:
    """Every image anywhere in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"]
        yield from (image for inside in value.values() for image in _images(inside))
    if isinstance(value, list):
        yield from (image for inside in value for image in _images(inside))
