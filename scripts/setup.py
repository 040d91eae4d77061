"""Whether a cluster has all that an overlay needs: one line for each thing, and a non-zero exit when one is missing."""

import sys
from collections.abc import Sequence

from scripts.deployment import target
from scripts.deployment.checks import findings
from scripts.deployment.findings import told
from scripts.deployment.outcome import outcome


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 when nothing is missing, else 1."""
    options = target.parser("scripts.setup", __doc__, target.flags(timeout=False)).parse_args(arguments)
    return outcome(lambda: told(findings(target.plan(options))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
