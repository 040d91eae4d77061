"""A cluster on this machine for the Knative overlays: kind with cert-manager, Knative, Kourier and KServe."""

import json
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.deployment.outcome import outcome
from scripts.downloads import FLAG, Downloads, Source
from scripts.errors import RunError

NAME = "image-classifier"
CACHE = Path.home() / ".cache" / "image-classifier-kind"
CHECKSUMS = Path(__file__).with_name("kind-checksums.txt")
CONTEXT = f"kind-{NAME}"
PORT = 8080
NODE_PORT = 31080
WAIT_SECONDS = 600
TRIES = 10
RETRY_SECONDS = 6.0

CERT_MANAGER = "1.17.0"
KNATIVE = "1.21.1"
KOURIER = "1.21.0"
KSERVE = "0.20.0"

_KNATIVE = f"https://github.com/knative/serving/releases/download/knative-v{KNATIVE}"
_KSERVE = f"https://github.com/kserve/kserve/releases/download/v{KSERVE}"

SOURCES = (
    Source(
        f"cert-manager-{CERT_MANAGER}.yaml",
        f"https://github.com/cert-manager/cert-manager/releases/download/v{CERT_MANAGER}/cert-manager.yaml",
    ),
    Source(f"knative-crds-{KNATIVE}.yaml", f"{_KNATIVE}/serving-crds.yaml"),
    Source(f"knative-core-{KNATIVE}.yaml", f"{_KNATIVE}/serving-core.yaml"),
    Source(
        f"kourier-{KOURIER}.yaml",
        f"https://github.com/knative-extensions/net-kourier/releases/download/knative-v{KOURIER}/kourier.yaml",
    ),
    Source(f"kserve-{KSERVE}.yaml", f"{_KSERVE}/kserve.yaml"),
    Source(f"kserve-cluster-resources-{KSERVE}.yaml", f"{_KSERVE}/kserve-cluster-resources.yaml"),
)
"""In the order of installation; the versions are those that KServe 0.20 is tested with."""

CLUSTER = json.dumps(
    {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [
            {
                "role": "control-plane",
                "extraPortMappings": [{"containerPort": NODE_PORT, "hostPort": PORT, "listenAddress": "127.0.0.1"}],
            }
        ],
    }
)
INGRESS_CLASS = {"data": {"ingress-class": "kourier.ingress.networking.knative.dev"}}
DOMAIN = {"data": {"127.0.0.1.sslip.io": ""}}
KOURIER_PORTS = {
    "spec": {
        "type": "NodePort",
        "ports": [{"name": "http2", "port": 80, "targetPort": 8080, "nodePort": NODE_PORT, "protocol": "TCP"}],
    }
}
KSERVE_NAMESPACE = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kserve"}})

NEXT = f"""
The cluster {CONTEXT} is up, its ingress at http://127.0.0.1:{PORT}. Next, with your images by digest in
manifests/components/images:

    make k8s-deploy CONTEXT={CONTEXT} OVERLAY=manifests/overlays/scale-to-zero URL=http://127.0.0.1:{PORT}
"""


@dataclass(frozen=True)
class Kind:
    """The cluster named `NAME`; `retry_seconds` is the pause before a webhook that is just starting is tried again."""

    downloads: Downloads
    sources: Sequence[Source] = SOURCES
    retry_seconds: float = RETRY_SECONDS

    def up(self) -> None:
        """Make the cluster, or go on with the one there is; raises RunError, before all else for an untrusted file."""
        _require("docker", "kind", "kubectl")
        cert_manager, crds, core, kourier, kserve, resources = self.downloads.fetch(self.sources)
        if NAME not in _ran("kind", "get", "clusters").split():
            _ran("kind", "create", "cluster", "--name", NAME, "--config", "-", "--wait", "180s", content=CLUSTER)
        self._install(cert_manager, "cert-manager")
        self._apply(crds)
        self._install(core, "knative-serving")
        self._install(kourier, "kourier-system")
        _patch("knative-serving", "configmap/config-network", INGRESS_CLASS)
        _patch("knative-serving", "configmap/config-domain", DOMAIN)
        _patch("kourier-system", "service/kourier", KOURIER_PORTS, "strategic")
        _kubectl("apply", "--server-side", "-f", "-", content=KSERVE_NAMESPACE)
        self._apply(kserve)
        _use_knative_network()
        _kubectl("rollout", "restart", "deployment/kserve-controller-manager", "--namespace", "kserve")
        _available("kserve")
        self._apply(resources)
        print(NEXT)

    def down(self) -> None:
        """Remove the cluster, if there is one; the files stay."""
        _require("docker", "kind")
        _ran("kind", "delete", "cluster", "--name", NAME)

    def _install(self, path: Path, namespace: str) -> None:
        self._apply(path)
        _available(namespace)

    def _apply(self, path: Path) -> None:
        """Again and again for a while: kinds and webhooks that a file itself brings take a moment to answer."""
        for left in reversed(range(TRIES)):
            try:
                _kubectl("apply", "--server-side", "--force-conflicts", "-f", str(path))
                return
            except RunError as error:
                if left == 0:
                    raise
                print(f"not yet: {error}", flush=True)
                time.sleep(self.retry_seconds)


def main(arguments: Sequence[str], kind: Kind | None = None) -> int:
    """Exit code: 0 when the cluster is up, or gone; else 1."""
    parser = ArgumentParser("python -m scripts.kind", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="make the cluster and install everything")
    up.add_argument(FLAG, dest="trusting", action="store_true", help="list the SHA-256 of files that are not listed")
    commands.add_parser("down", help="remove the cluster").set_defaults(trusting=False)
    options = parser.parse_args(arguments)
    files = Downloads(CACHE, CHECKSUMS, options.trusting)
    chosen = kind or Kind(files)
    return outcome(chosen.up if options.command == "up" else chosen.down)


def _require(*tools: str) -> None:
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    if lacking:
        raise RunError("\n".join(f"{tool}: expected it on the PATH, found none" for tool in lacking))


def _use_knative_network() -> None:
    """KServe would make Istio's VirtualServices, which Kourier does not know."""
    found = _kubectl(
        "get", "configmap/inferenceservice-config", "--namespace", "kserve", "--output", "json", quiet=True
    )
    ingress = json.loads(json.loads(found)["data"]["ingress"]) | {"disableIstioVirtualHost": True}
    _patch("kserve", "configmap/inferenceservice-config", {"data": {"ingress": json.dumps(ingress)}})


def _available(namespace: str) -> None:
    wait = f"--timeout={WAIT_SECONDS}s"
    _kubectl("wait", "deployment", "--all", "--for=condition=Available", "--namespace", namespace, wait)


def _patch(namespace: str, resource: str, patch: object, kind: str = "merge") -> None:
    _kubectl("patch", resource, "--namespace", namespace, "--type", kind, "--patch", json.dumps(patch))


def _kubectl(*arguments: str, content: str | None = None, quiet: bool = False) -> str:
    return _ran("kubectl", "--context", CONTEXT, *arguments, content=content, quiet=quiet)


def _ran(*command: str, content: str | None = None, quiet: bool = False) -> str:
    """What the command printed, shown too unless `quiet`; raises RunError with its last line when it fails."""
    done = subprocess.run(command, input=content or "", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise RunError(f"{' '.join(command[:4])}: expected success, it said: {said[-1]}")
    if not quiet:
        print(done.stdout, end="", flush=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
