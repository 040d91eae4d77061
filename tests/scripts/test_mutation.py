"""The run over a tree of one module, of which one change goes unseen."""

from pathlib import Path

import pytest

from scripts.mutation import Mutant, mutants_in, run, table

CONFIG = """
[tool.mutmut]
source_paths = ["oip"]
pytest_add_cli_args_test_selection = ["tests"]
"""
MODULE = """
def total(a, b):
    return a + b


def twice(a):
    return a * 2


def never_called(a):
    return not a
"""
TESTS = """
from oip.adding import total, twice


def test_nothing_is_added():
    assert total(3, 0) == 3


def test_the_double():
    assert twice(3) == 6
"""
RESULTS = """
    oip.raw.x_one__mutmut_1: killed
    oip.raw.x_one__mutmut_2: survived
    oip.tensor.xǁTensorǁshape__mutmut_1: segfault
    oip.names.x_checked_name__mutmut_1: not checked
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {"oip/adding.py": MODULE, "tests/test_adding.py": TESTS, "pyproject.toml": CONFIG}.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (tmp_path / "oip" / "__init__.py").touch()
    return tmp_path


@pytest.mark.slow
def test_a_change_that_no_test_sees_is_shown(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tree.rglob("*"))
    run(tree, "adding")
    printed = capsys.readouterr().out
    assert "| module | mutants | killed | survived | no tests | timeout |\n" in printed
    assert "| adding | 4 | 2 | 1 | 1 | 0 |\n| all | 4 | 2 | 1 | 1 | 0 |\n" in printed
    assert "-    return a + b\n+    return a - b" in printed
    assert "-    return not a\n+    return a" in printed
    assert "return a * 3" not in printed
    assert sorted(tree.rglob("*")) == before


@pytest.mark.slow
def test_tests_that_fail_without_any_change_end_the_run(tree: Path) -> None:
    (tree / "tests" / "test_adding.py").write_text(
        "from oip.adding import total\n\n\ndef test_it():\n    assert total(1, 1) == 3\n"
    )
    with pytest.raises(SystemExit, match=r"(?s)^mutmut run failed:.*assert"):
        run(tree, None)


def test_an_unknown_module_is_refused(tree: Path) -> None:
    with pytest.raises(SystemExit, match=r"^MODULE: expected a module of oip/, got 'subtracting'$"):
        run(tree, "subtracting")


def test_mutants_that_the_run_left_out_are_not_counted() -> None:
    assert mutants_in(RESULTS) == [
        Mutant("oip.raw.x_one__mutmut_1", "raw", "killed"),
        Mutant("oip.raw.x_one__mutmut_2", "raw", "survived"),
        Mutant("oip.tensor.xǁTensorǁshape__mutmut_1", "tensor", "segfault"),
    ]


def test_an_unusual_end_has_a_column_of_its_own() -> None:
    assert table(mutants_in(RESULTS)).splitlines() == [
        "| module | mutants | killed | survived | no tests | timeout | segfault |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| raw | 2 | 1 | 1 | 0 | 0 | 0 |",
        "| tensor | 1 | 0 | 0 | 0 | 0 | 1 |",
        "| all | 3 | 1 | 1 | 0 | 0 | 1 |",
    ]
