"""Which overlay goes to which cluster: the flags that the scripts for Kubernetes share, and what they mean."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from scripts.deployment.cluster import Cluster
from scripts.deployment.overlay import Overlay
from scripts.deployment.plan import Plan

OVERLAY = Path("manifests/overlays/knative")
TIMEOUT_SECONDS = 600


def flags(*, overlay: bool = True, timeout: bool = True) -> ArgumentParser:
    """A parent of parsers: which cluster and namespace and, as asked, which overlay and how long to wait."""
    made = ArgumentParser(add_help=False, allow_abbrev=False)
    made.add_argument("--kubeconfig", type=Path, help="KUBECONFIG or ~/.kube/config without it")
    made.add_argument("--context", help="of the kubeconfig; the current one without it")
    made.add_argument("--namespace", help="where objects go that name none; the context's without it")
    if overlay:
        made.add_argument("--overlay", type=Path, default=OVERLAY, help="directory; %(default)s without it")
    if timeout:
        wait = "to wait; %(default)s without it"
        made.add_argument("--timeout", type=float, default=TIMEOUT_SECONDS, metavar="SECONDS", help=wait)
    return made


def parser(module: str, description: str | None, *parents: ArgumentParser) -> ArgumentParser:
    """Of `python -m module`."""
    return ArgumentParser(f"python -m {module}", description=description, parents=parents, allow_abbrev=False)


def plan(options: Namespace) -> Plan:
    """The overlay rendered, and the way to the cluster; raises RunError."""
    connected = cluster(options)
    chosen = options.namespace is not None
    overlay = Overlay.render(options.overlay, connected.namespace, chosen=chosen)
    return Plan(connected, overlay, force=getattr(options, "force_conflicts", False))


def cluster(options: Namespace) -> Cluster:
    """The way to the cluster; raises RunError."""
    return Cluster.connect(options.kubeconfig, options.context, options.namespace)
