"""Mutation testing of `oip/`: `python -m scripts.mutation [MODULE]` says which changes of it `tests/oip` does not see.

mutmut changes one thing in one function at a time and runs the tests that call the function; its settings stand in
pyproject.toml. All of it happens in a copy of the tree, which is removed again.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "oip"
COPIED = (PACKAGE, "tests", "pyproject.toml")

_MUTMUT = str(Path(sys.executable).with_name("mutmut"))
_RESULT = re.compile(r"^ +(?P<name>oip\.(?P<module>\w+)\.\S+): (?P<status>.+)$", re.MULTILINE)
_COUNTED = ("killed", "survived", "no tests", "timeout")


class Mutant(NamedTuple):
    name: str
    module: str
    status: str


def mutants_in(results: str) -> list[Mutant]:
    """The mutants in the output of `mutmut results --all true`, less those that the run left out."""
    found = [Mutant(**match.groupdict()) for match in _RESULT.finditer(results)]
    return [mutant for mutant in found if mutant.status != "not checked"]


def table(mutants: Sequence[Mutant]) -> str:
    """How many mutants of each module ended how, in Markdown."""
    others = sorted({mutant.status for mutant in mutants} - set(_COUNTED))
    statuses = [*_COUNTED, *others]
    head = [_line("module", "mutants", *statuses), "|---|" + "---:|" * (1 + len(statuses))]
    by_module = {
        module: [mutant for mutant in mutants if mutant.module == module]
        for module in sorted({mutant.module for mutant in mutants})
    }
    rows = [_counts(title, counted, statuses) for title, counted in (by_module | {"all": mutants}).items()]
    return "\n".join(head + rows)


def run(root: Path, module: str | None) -> None:
    """Print the table and the change of every mutant that was not killed; SystemExit when mutmut cannot run."""
    if module is not None and not (root / PACKAGE / f"{module}.py").is_file():
        raise SystemExit(f"MODULE: expected a module of {PACKAGE}/, got {module!r}")
    with TemporaryDirectory() as copy:
        _copy(root, Path(copy))
        start = monotonic()
        _mutmut(copy, "run", *([] if module is None else [f"{PACKAGE}.{module}.*"]))
        mutants = mutants_in(_mutmut(copy, "results", "--all", "true"))
        print(f"{table(mutants)}\n\n{len(mutants)} mutants in {(monotonic() - start) / 60:.1f} minutes")
        for mutant in mutants:
            if mutant.status != "killed":
                print(f"\n{_mutmut(copy, 'show', mutant.name).strip()}")


def _copy(root: Path, target: Path) -> None:
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / name, target)


def _mutmut(directory: str, *arguments: str) -> str:
    done = subprocess.run([_MUTMUT, *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"mutmut {arguments[0]} failed:\n{done.stdout[-5000:]}{done.stderr}")
    return done.stdout


def _counts(title: str, mutants: Sequence[Mutant], statuses: Sequence[str]) -> str:
    counts = Counter(mutant.status for mutant in mutants)
    return _line(title, len(mutants), *(counts[status] for status in statuses))


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    run(ROOT, sys.argv[1] if sys.argv[1:] else None)
