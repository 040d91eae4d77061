"""Write a bundle so that it appears at once and whole, or not at all."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError
from safetensors.torch import save_file
from torch import Tensor

from bundle import reading
from bundle.errors import BundleError
from bundle.reading import Bundle
from bundle.record import RECORD, UNTRAINED, Agreement, Architecture, File, Graph, Precision, Preset, Record, invalid

WEIGHTS = "model.safetensors"
LABELS = "labels.txt"
GRAPHS = "openvino"


@dataclass(frozen=True)
class Model:
    """All that goes into a bundle. `tensors` share no memory; the number of labels is the number of classes."""

    architecture: Architecture
    preset: Preset
    tensors: Mapping[str, Tensor]
    labels: Sequence[str]
    version: str
    licence: str
    origin: str


def check_destination(out: Path, *, force: bool) -> None:
    """Refuse a destination that holds something: a bundle unless forced, anything else always."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / RECORD).is_file():
        raise BundleError(f"{out}: exists and is not a bundle")
    if not force:
        raise BundleError(f"{out}: exists (--force replaces it)")
    known = {RECORD, *reading.read_record(out).files}
    for path in sorted(out.rglob("*")):
        if not path.is_dir() and path.relative_to(out).as_posix() not in known:
            raise BundleError(f"{out}: holds {path.relative_to(out)}, which is no part of its bundle")


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A new directory beside `out` that takes its place when the context ends well, and is gone when it does not."""
    target = out.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    directory = _beside(target)
    directory.mkdir()
    try:
        yield directory
        _put_in_place(directory, target)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def write(model: Model, directory: Path) -> None:
    """Write the files of a bundle, the record last."""
    (directory / LABELS).write_text("\n".join(model.labels) + "\n", "utf-8", newline="\n")
    save_file(dict(model.tensors), directory / WEIGHTS, metadata={"format": "pt"})
    shutil.copymode(directory / LABELS, directory / WEIGHTS)  # safetensors lets nobody but the owner read
    record = _record(model, {name: _file(directory / name) for name in (LABELS, WEIGHTS)})
    _write_record(record, directory)


def add_graph(
    directory: Path,
    precision: Precision,
    save: Callable[[Path], None],
    agreement: Agreement | None = None,
    *,
    benchmark_only: bool = False,
) -> None:
    """Write a graph into the bundle in `directory`, in the place of the one of that precision, and then its record.

    `save` gets the path of the model, whose name ends in `.xml`, and puts the weights beside it as `.bin`.
    """
    record = reading.read_record(directory)
    model, weights = (f"{GRAPHS}/{precision}{suffix}" for suffix in (".xml", ".bin"))
    (directory / GRAPHS).mkdir(exist_ok=True)
    save(directory / model)
    graph = Graph(model=model, weights=weights, agreement=agreement, benchmark_only=benchmark_only)
    files = {name: _file(directory / name) for name in (model, weights)}
    graphs = {**record.graphs, precision: graph}
    _write_record(record.model_copy(update={"graphs": graphs, "files": {**record.files, **files}}), directory)


def copy(bundle: Bundle, directory: Path) -> None:
    """Write all files of a bundle, and nothing else that lies beside them, to another directory."""
    for name in (RECORD, *bundle.record.files):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle.directory / name, directory / name)


def _write_record(record: Record, directory: Path) -> None:
    (directory / RECORD).write_text(record.model_dump_json(indent=2) + "\n", "utf-8", newline="\n")


def _record(model: Model, files: dict[str, File]) -> Record:
    try:
        return Record(
            format_version=1,
            architecture=model.architecture,
            version=model.version,
            trained=model.version != UNTRAINED,
            classes=len(model.labels),
            preprocessing=model.preset,
            weights=WEIGHTS,
            labels=LABELS,
            licence=model.licence,
            origin=model.origin,
            files=files,
        )
    except ValidationError as error:
        raise invalid(RECORD, error) from error


def _file(path: Path) -> File:
    with path.open("rb") as file:
        return File(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=path.stat().st_size)


def _put_in_place(directory: Path, target: Path) -> None:
    if not target.exists():
        directory.rename(target)
        return
    old = target.rename(_beside(target))
    try:
        directory.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid4().hex}")
