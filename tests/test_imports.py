"""Which folder may import which: the walls of the design, read from every module's source."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"bundle", "client", "oip", "predictor", "serving", "transformer"}
HEAVY = {"nncf", "openvino", "torch", "torchvision"}

MAY_IMPORT: dict[str, set[str]] = {
    "oip": {"google", "msgspec", "numpy", "orjson"},
    "serving": {
        "cloudevents", "fastapi", "google", "grpc", "grpc_health", "grpc_reflection", "kserve", "msgspec", "oip",
        "opentelemetry", "orjson", "prometheus_client", "pydantic", "pydantic_settings", "pythonjsonlogger",
        "starlette", "uvicorn", "uvloop",
    },
    "bundle": {
        "PIL", "nncf", "numpy", "oip", "openvino", "pydantic", "safetensors", "torch", "torchvision", "tqdm",
    },
    "predictor": {
        "bundle", "fastapi", "numpy", "oip", "openvino", "prometheus_client", "pydantic", "serving", "torch",
    },
    "transformer": {
        "PIL", "fastapi", "fastapi_offline", "google", "grpc", "h11", "httpcore", "idna", "msgspec", "numpy", "oip",
        "prometheus_client", "pydantic", "pydantic_settings", "serving", "starlette",
    },
}  # fmt: skip
"""Folder to what it may import beside itself and the standard library."""

TORCH = {"torch", "torchvision"}
LIVES_IN = {
    "bundle/architecture.py": TORCH,
    "bundle/maker": HEAVY,
    "predictor/torch_engine.py": TORCH,
    "predictor/openvino_engine.py": {"openvino"},
}
"""Which of the heavy ones a module, or those of a folder, may import."""


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield str(node.module)


def foreign(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_the_design_allows(folder: str) -> None:
    for path in modules(folder):
        assert foreign(path) <= MAY_IMPORT[folder] | {folder}, path.relative_to(ROOT)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_what_is_heavy_is_imported_only_where_it_lives(folder: str) -> None:
    for path in modules(folder):
        name = path.relative_to(ROOT).as_posix()
        allowed = set[str]().union(*(heavy for home, heavy in LIVES_IN.items() if name.startswith(home)))
        assert foreign(path) & HEAVY <= allowed, name


def test_the_maker_is_never_imported_by_what_serves() -> None:
    for folder in ("oip", "serving", "predictor", "transformer"):
        for path in modules(folder):
            assert not [name for name in imported(path) if name.startswith("bundle.maker")], path.relative_to(ROOT)


def test_the_pattern_of_this_test_finds_imports_inside_functions(tmp_path: Path) -> None:
    source = tmp_path / "lazy.py"
    source.write_text("def f():\n    from torch import nn\n    import PIL.Image\n")
    assert foreign(source) == {"torch", "PIL"}
