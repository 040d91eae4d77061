"""What is told of an API server that refuses, is away, or is something else."""

import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from scripts.constraints import ROOT
from scripts.deployment.cluster import Cluster
from scripts.deployment.exchange import UNREACHED, ClusterError
from scripts.errors import RunError
from tests.scripts.deployment.api_server import NAMESPACE, TOKEN, ApiServer, kubeconfig
from tests.scripts.deployment.ingress import ingress

ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "cats", "namespace": NAMESPACE}}


def test_an_object_that_was_applied_can_be_read_and_deleted(server: ApiServer) -> None:
    cluster = Cluster.connect(server.kubeconfig)
    assert cluster.current(ACCOUNT) is None
    applied = cluster.apply(ACCOUNT)
    assert cluster.current(ACCOUNT) == applied
    cluster.delete(ACCOUNT)
    assert cluster.current(ACCOUNT) is None


def test_a_kind_that_is_not_served_is_not_there_and_cannot_be_applied(server: ApiServer) -> None:
    cluster = Cluster.connect(server.kubeconfig)
    unknown = ACCOUNT | {"apiVersion": "cats.example.com/v1", "kind": "Cat"}
    assert cluster.current(unknown) is None
    assert cluster.plural("cats.example.com/v1", "Cat") is None
    with pytest.raises(
        ClusterError, match=r"^expected the cluster to serve Cat \(cats.example.com/v1\), found nothing$"
    ):
        cluster.apply(unknown)


def test_the_namespace_is_the_contexts_unless_another_is_named(server: ApiServer) -> None:
    assert Cluster.connect(server.kubeconfig).namespace == NAMESPACE
    assert Cluster.connect(server.kubeconfig, namespace="cats").namespace == "cats"
    assert Cluster.connect(server.kubeconfig, "elsewhere").address == "http://127.0.0.1:9"


def test_a_refusal_is_its_status_and_message_on_one_line(server: ApiServer) -> None:
    server.state.refusals["PATCH serviceaccounts/cats"] = (HTTPStatus.FORBIDDEN, "not\nyours")
    with pytest.raises(ClusterError) as caught:
        Cluster.connect(server.kubeconfig).apply(ACCOUNT)
    assert (caught.value.status, str(caught.value)) == (403, "403 not yours")


def test_credentials_that_are_not_known_are_told(server: ApiServer) -> None:
    server.kubeconfig.write_text(server.kubeconfig.read_text().replace(TOKEN, "old"))
    with pytest.raises(ClusterError, match=r"^401 Unauthorized$"):
        Cluster.connect(server.kubeconfig).version()


@pytest.mark.parametrize("content", ["<html>", "[]", ""])
def test_a_server_of_something_else_is_told(tmp_path: Path, content: str) -> None:
    with ingress((200, content)) as other, pytest.raises(ClusterError, match=r"^expected (a )?JSON") as caught:
        Cluster.connect(kubeconfig(tmp_path, other.address)).version()
    assert caught.value.status == UNREACHED


def test_a_refusal_without_a_message_is_told(tmp_path: Path) -> None:
    with ingress((502, "<html>")) as other, pytest.raises(ClusterError, match=r"^502 Bad Gateway$"):
        Cluster.connect(kubeconfig(tmp_path, other.address)).version()


def test_a_kubeconfig_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("a: [")
    with pytest.raises(RunError, match=r"^kubeconfig: expected a readable file, got "):
        Cluster.connect(path)


def test_nothing_is_kept_on_the_disk(server: ApiServer, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    code = "from scripts.deployment.cluster import Cluster; assert Cluster.connect().serves('v1', 'ServiceAccount')"
    environment = os.environ | {"KUBECONFIG": str(server.kubeconfig), "TMPDIR": str(scratch)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert list(scratch.iterdir()) == []
