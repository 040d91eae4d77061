"""Check a cluster, bring an overlay onto it, wait until it is ready, and classify a photo through the ingress."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path

from scripts.deployment import target
from scripts.deployment.checks import findings
from scripts.deployment.cluster import title
from scripts.deployment.findings import told
from scripts.deployment.outcome import outcome
from scripts.deployment.plan import Plan
from scripts.deployment.readiness import POLL_SECONDS, wait_ready
from scripts.deployment.rollout import apply
from scripts.deployment.smoke import Smoke
from scripts.draw_sample import SAMPLE
from scripts.errors import RunError

AWAITED = ("InferenceService", "InferenceGraph")
"""Kinds that say whether they are ready."""


def deploy(plan: Plan, options: Namespace, poll_seconds: float) -> None:
    """Do all of it; raises RunError at the first step that fails, and leaves what was applied."""
    if not told(findings(plan)):
        raise RunError("nothing was applied: the cluster is not ready for this overlay, as said above")
    applied = apply(plan.cluster, plan.overlay.documents, force=options.force_conflicts)
    awaited = [document for document in applied if document["kind"] in AWAITED]
    ready = wait_ready(plan.cluster, awaited, options.timeout, poll_seconds)
    smoke = Smoke(options.photo, options.url, dict(options.header))
    for document in ready:
        print(f"{'ready':<9}  {title(document)} at {(document.get('status') or {}).get('url')}", flush=True)
        if document["kind"] == "InferenceService":
            print(f"\n{smoke.test(document)}\n", flush=True)


def main(arguments: Sequence[str], poll_seconds: float = POLL_SECONDS) -> int:
    """Exit code: 0 when the photo was classified, else 1."""
    options = _parser().parse_args(arguments)
    return outcome(lambda: deploy(target.plan(options), options, poll_seconds))


def _parser() -> ArgumentParser:
    parser = target.parser("scripts.deploy", __doc__, target.flags())
    parser.add_argument(
        "--photo", type=_file, default=Path(os.path.relpath(SAMPLE)), help="to classify; %(default)s without it"
    )
    parser.add_argument(
        "--url",
        type=_address,
        help="of a port-forward or gateway, instead of the service's own, which Host still names",
    )
    parser.add_argument("--header", type=_header, action="append", default=[], help="'NAME: VALUE' for the ingress")
    parser.add_argument("--force-conflicts", action="store_true", help="take over fields that others have set")
    return parser


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise ArgumentTypeError(f"expected a file, got {text}")
    return Path(text)


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ArgumentTypeError(f"expected http:// or https://, got {text}")
    return text


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise ArgumentTypeError(f"expected NAME: VALUE, got {text!r}")
    return name.strip(), value.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
