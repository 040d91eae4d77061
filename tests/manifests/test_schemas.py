"""Every rendered document keeps the schema of its kind, strictly."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.assets import needs_crds
from tests.manifests.changes import changed
from tests.manifests.rendered import OVERLAYS, Document, cluster_runtimes, next_runtimes, of_kind, overlay
from tests.manifests.schemas import problems

pytestmark = needs_crds


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_document_of_an_overlay_keeps_its_schema(name: str) -> None:
    assert [problem for document in overlay(name) for problem in problems(document)] == []


@pytest.mark.parametrize("runtimes", [cluster_runtimes, next_runtimes])
def test_the_other_runtimes_keep_their_schema(runtimes: Callable[[], list[Document]]) -> None:
    assert [problem for document in runtimes() for problem in problems(document)] == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("InferenceService", "spec.predictor.canaryTrafficPercnt", 10, "canaryTrafficPercnt"),
        ("InferenceService", "spec.predictor.minReplicas", "1", "minReplicas: '1' is not of type 'integer'"),
        ("InferenceService", "spec.transformer.containers.0.securityContext.runAsNonroot", True, "runAsNonroot"),
        ("InferenceService", "spec.predictor.scaleMetric", "qps", "scaleMetric"),
        ("InferenceService", "metadata.annotations.answer", 42, "metadata.annotations.answer: no text"),
        ("InferenceService", "metadata.label", "x", "metadata.label: unknown"),
        ("ServingRuntime", "spec.supportedModelFormats.0.autoselect", True, "autoselect"),
        ("NetworkPolicy", "spec.podSelectors", {}, "podSelectors"),
        ("PodDisruptionBudget", "spec.maxUnavailable", [1], "maxUnavailable"),
        ("ServiceAccount", "automountServiceAccountToken", "no", "automountServiceAccountToken"),
    ],
)
def test_a_slip_is_refused(kind: str, path: str, value: Any, said: str) -> None:
    document = of_kind(kind, overlay("knative"))[0]
    assert said in "\n".join(problems(changed(document, path, value)))


def test_a_kind_without_a_schema_is_no_kind_of_ours() -> None:
    assert problems({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}}) != []
