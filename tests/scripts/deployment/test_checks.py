"""All checks together, and what becomes of one that cannot look."""

from http import HTTPStatus

import pytest

from scripts.deployment.checks import findings
from tests.scripts.deployment.api_server import ApiServer
from tests.scripts.deployment.clusters import (
    NAMES,
    forbid,
    hide,
    lacking,
    overlay,
    plan,
)


@pytest.mark.parametrize("name", NAMES)
def test_a_cluster_that_has_everything_lacks_nothing_for_an_overlay(server: ApiServer, name: str) -> None:
    if name == "baked":  # brings its own namespace, which has no quota yet
        assert overlay(name).namespace == "image-classifier"
    assert lacking(server, overlay(name)) == []


def test_who_may_not_look_at_everything_is_told_what_was_not_checked(server: ApiServer) -> None:
    hide(server.state, "deployments/kserve-controller-manager", "configmaps/inferenceservice-config", "resourcequotas")
    lines = [str(finding) for finding in findings(plan(server, overlay("knative")))]
    assert "note: kserve: not checked: 403 deployments/kserve-controller-manager is forbidden" in lines
    assert "note: quota: not checked: 403 resourcequotas is forbidden" in lines
    assert not [line for line in lines if line.startswith("error")]


def test_an_answer_that_is_no_answer_is_an_error_and_the_other_checks_go_on(server: ApiServer) -> None:
    server.state.refusals["GET resourcequotas"] = (HTTPStatus.SERVICE_UNAVAILABLE, "etcd is away")
    forbid(("patch", "inferenceservices"))(server.state)
    quotas, permission = lacking(server, overlay("knative"))
    assert quotas == "error: quota: expected an answer of the API server, found 503 etcd is away"
    assert permission.startswith("error: permission: ")
