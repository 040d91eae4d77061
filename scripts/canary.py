"""A new bundle or image beside the old one, in Knative mode: give it a share of the traffic, then all of it, or none.

The same with kubectl, for the InferenceService NAME:

    start     kubectl patch isvc NAME --type merge -p \\
              '{"spec": {"predictor": {"canaryTrafficPercent": 10, "model": {"storageUri": "URI"}}}}'
    promote   kubectl patch isvc NAME --type merge -p '{"spec": {"predictor": {"canaryTrafficPercent": null}}}'
    rollback  kubectl patch isvc NAME --type merge -p '{"spec": {"predictor": {"canaryTrafficPercent": 0}}}'
    status    kubectl get isvc NAME -o jsonpath='{.status.components.predictor.traffic}'
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.deployment import target
from scripts.deployment.cluster import Cluster
from scripts.deployment.exchange import Document
from scripts.deployment.inference_service import KNATIVE, is_ready, mode_in_effect, share_of_latest, traffic
from scripts.deployment.outcome import outcome
from scripts.deployment.readiness import POLL_SECONDS, wait_ready
from scripts.errors import RunError

API = "serving.kserve.io/v1beta1"
NAME = "image-classifier"
MANAGER = "image-classifier-canary"
"""Not that of `scripts.deploy`, which so hears of a conflict instead of undoing a canary unseen."""

DEFAULT_PERCENT = 10


@dataclass(frozen=True)
class Change:
    """A patch, and the percentage of the traffic that the newest revision has once it is in effect."""

    patch: Document
    share: int

    def in_effect(self, service: Document) -> bool:
        """A rollback is, even where the newest revision never became ready, which is why one rolls back."""
        return share_of_latest(service) == self.share and (self.share == 0 or is_ready(service))


def start(service: Document, options: Namespace) -> Change:
    """Gives another bundle, or another image by its runtime, its share; or a canary that runs another share."""
    name = service["metadata"]["name"]
    asked = {"storageUri": options.storage_uri, "runtime": options.runtime}
    wanted = {field: value for field, value in asked.items() if value is not None}
    present = _changeable(service)
    if "storageUri" in wanted and "storageUri" not in present:
        raise RunError(f"canary: expected {name} to have a storageUri, found none: its bundle is in the image")
    if _percent(service) is None and wanted.items() <= present.items():
        raise RunError(f"canary: expected --storage-uri or --runtime of another than {_told(service)}")
    if _percent(service) is None and not is_ready(service):
        raise RunError(f"canary: expected {name} to be ready before, found it not ready")
    return Change(_patch(options.percent, wanted), options.percent)


def promote(service: Document, options: Namespace) -> Change:
    """Gives the canary all of the traffic."""
    del options
    if _share(service, "promote") == 0:
        raise RunError("canary: expected a share above 0 to promote, found 0: it was rolled back; start it again first")
    return Change(_patch(None), 100)


def rollback(service: Document, options: Namespace) -> Change:
    """Gives the revision before it all of the traffic."""
    del options
    if _share(service, "roll back") == 0:
        raise RunError("canary: expected a share above 0 to roll back, found 0: it was rolled back before")
    return Change(_patch(0), 0)


CHANGES: dict[str, Callable[[Document, Namespace], Change]] = {
    "start": start,
    "promote": promote,
    "rollback": rollback,
}


def run(cluster: Cluster, options: Namespace, poll_seconds: float) -> None:
    """Do what `options.command` says and wait until it is in effect; raises RunError."""
    service = _service(cluster, options.name)
    if options.command != "status":
        change = CHANGES[options.command](service, options)
        patched = cluster.merge(service, change.patch, MANAGER)
        (service,) = wait_ready(cluster, [patched], options.timeout, poll_seconds, change.in_effect)
    print(described(service), flush=True)


def described(service: Document) -> str:
    """Which revision gets how much of the traffic."""
    percent = _percent(service)
    state = "ready" if is_ready(service) else "not ready"
    canary = "no canary" if percent is None else f"canary at {percent} %"
    head = f"{service['metadata']['name']}: {state}, {canary}, {_told(service)}"
    return "\n".join([head, *map(_row, traffic(service))])


def main(arguments: Sequence[str], poll_seconds: float = POLL_SECONDS) -> int:
    """Exit code: 0 when the change is in effect, else 1."""
    options = _parser().parse_args(arguments)
    return outcome(lambda: run(target.cluster(options), options, poll_seconds))


def _parser() -> ArgumentParser:
    parser = target.parser("scripts.canary", __doc__)
    parser.formatter_class = RawDescriptionHelpFormatter
    shared = target.flags(overlay=False)
    shared.add_argument("--name", default=NAME, help="of the InferenceService; %(default)s without it")
    commands = parser.add_subparsers(dest="command", required=True)
    begin = commands.add_parser("start", parents=[shared], help="give a new bundle, or a running canary, a share")
    begin.add_argument("--storage-uri", metavar="URI", help="of the new bundle; the running canary's without it")
    begin.add_argument("--runtime", metavar="NAME", help="with the new image; the running canary's without it")
    begin.add_argument("--percent", type=_percentage, default=DEFAULT_PERCENT, help="1 to 99; %(default)s without it")
    commands.add_parser("promote", parents=[shared], help="give the canary all of the traffic")
    commands.add_parser("rollback", parents=[shared], help="give the revision before it all of the traffic")
    commands.add_parser("status", parents=[shared], help="print who gets how much")
    return parser


def _percentage(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 99):
        raise ArgumentTypeError(f"expected a whole number from 1 to 99, got {text}")
    return int(text)


def _service(cluster: Cluster, name: str) -> Document:
    service = cluster.read(API, "InferenceService", name, cluster.namespace)
    if service is None:
        raise RunError(f"canary: expected InferenceService {name} in namespace {cluster.namespace}, found none")
    mode = mode_in_effect(service)
    if mode != KNATIVE:
        raise RunError(f"canary: expected deploymentMode {KNATIVE}, found {mode}: see overlay standard-canary")
    return service


def _share(service: Document, what: str) -> int:
    """Of the canary; raises RunError when there is none."""
    percent = _percent(service)
    if percent is None:
        name = service["metadata"]["name"]
        raise RunError(f"canary: expected a canary to {what}, found none: {name} serves one bundle")
    return percent


def _row(share: Document) -> str:
    tag = f"  ({share['tag']})" if "tag" in share else ""
    return f"  {share.get('percent') or 0:3} %  {share.get('revisionName', 'latest')}{tag}"


def _percent(service: Document) -> int | None:
    percent = service["spec"]["predictor"].get("canaryTrafficPercent")
    return None if percent is None else int(percent)


def _changeable(service: Document) -> Document:
    """What a canary may change of the model."""
    model = service["spec"]["predictor"].get("model") or {}
    return {field: model[field] for field in ("storageUri", "runtime") if field in model}


def _told(service: Document) -> str:
    model = _changeable(service)
    return f"bundle {model.get('storageUri', 'in the image')}, runtime {model.get('runtime', 'of no name')}"


def _patch(percent: int | None, model: Document | None = None) -> Document:
    return {"spec": {"predictor": {"canaryTrafficPercent": percent, **({"model": model} if model else {})}}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
