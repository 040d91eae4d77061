"""Take off a cluster what an overlay brought there, in reverse order; the namespace stays unless asked for."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from scripts.deployment import target
from scripts.deployment.outcome import outcome
from scripts.deployment.plan import Plan
from scripts.deployment.removal import POLL_SECONDS, remove


def undeploy(plan: Plan, options: Namespace, poll_seconds: float) -> None:
    """Return once all is gone; raises RunError that names what is left."""
    reverse = reversed(plan.overlay.documents)
    documents = [document for document in reverse if options.namespace_too or document["kind"] != "Namespace"]
    remove(plan.cluster, documents, options.timeout, poll_seconds)


def main(arguments: Sequence[str], poll_seconds: float = POLL_SECONDS) -> int:
    """Exit code: 0 when nothing of the overlay is there any more, else 1."""
    parser = target.parser("scripts.undeploy", __doc__, target.flags())
    parser.add_argument("--namespace-too", action="store_true", help="delete a Namespace of the overlay, and all in it")
    options = parser.parse_args(arguments)
    return outcome(lambda: undeploy(target.plan(options), options, poll_seconds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
