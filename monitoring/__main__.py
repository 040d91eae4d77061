"""Write what is generated here, or say what of it is not as it would be written: `python -m monitoring [--check]`.

With other objectives the rules are written anew; where they are to stay, change monitoring/objectives.py itself.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from pathlib import Path

from monitoring import rules
from monitoring.grafana import boards
from monitoring.objectives import Objectives

HERE = Path(__file__).resolve().parent


def generated(objectives: Objectives | None = None, runbooks: str = rules.RUNBOOKS) -> dict[str, str]:
    """Path under this directory to text, of every file that is written."""
    return {
        "prometheus/rules.yaml": rules.plain(objectives, runbooks),
        "kubernetes/prometheus-rule.yaml": rules.custom_resource(objectives, runbooks),
        **{f"grafana/boards/{name}": text for name, text in boards().items()},
    }


def differing(files: Mapping[str, str], root: Path) -> list[str]:
    """Those that are not there, or say something else."""
    return [name for name, text in files.items() if not (root / name).is_file() or (root / name).read_text() != text]


def main(arguments: Sequence[str] | None = None, root: Path = HERE) -> int:
    parser = ArgumentParser(
        prog="python -m monitoring", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    defaults = Objectives()
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when something differs")
    parser.add_argument("--availability", type=float, default=defaults.availability, help="share that is not failed")
    parser.add_argument("--latency", type=float, default=defaults.latency, help="share that is answered in time")
    parser.add_argument("--latency-seconds", type=float, default=defaults.latency_seconds, help="that time")
    parser.add_argument("--runbooks", default=rules.RUNBOOKS, help="URL under which monitoring/runbooks is served")
    options = parser.parse_args(arguments)
    try:
        objectives = Objectives(options.availability, options.latency, options.latency_seconds)
    except ValueError as error:
        parser.error(str(error))
    files = generated(objectives, options.runbooks)
    return _check(files, root) if options.check else _write(files, root)


def _check(files: Mapping[str, str], root: Path) -> int:
    wrong = differing(files, root)
    for name in wrong:
        sys.stdout.write(f"{name}: differs from what is generated\n")
    return 1 if wrong else 0


def _write(files: Mapping[str, str], root: Path) -> int:
    for name in differing(files, root):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name])
        sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
