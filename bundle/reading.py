"""Read a bundle and verify it: the serving side. Light: nothing here imports torch, torchvision or Pillow."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from bundle import labels
from bundle.errors import BundleError, mismatch
from bundle.record import RECORD, File, Precision, Record, invalid

_MAX_RECORD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle: every file is there, with the size and digest that its record states."""

    directory: Path
    record: Record
    labels: tuple[str, ...]

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.directory / self.record.weights

    def graph(self, precision: Precision) -> tuple[Path, Path]:
        """Model and weights of an exported graph; raises KeyError when the bundle has none of that precision."""
        graph = self.record.graphs[precision]
        return self.directory / graph.model, self.directory / graph.weights


class TensorType(NamedTuple):
    """Datatype by its safetensors name (`F32`, `I64`, ...) and shape."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def read(directory: Path) -> Bundle:
    """Read the bundle in `directory`; raises BundleError unless all of it is as `model.json` says."""
    record = read_record(directory)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), "digest") as threads:  # a digest is computed without the GIL
        for checked in [threads.submit(_check_file, directory, name, file) for name, file in record.files.items()]:
            checked.result()
    with _opened(directory, record.labels) as content:
        lines = labels.parse(content.read().decode())
    labels.check(lines, record.classes, f"{directory}: {record.labels}")
    return Bundle(directory, record, lines)


def read_record(directory: Path) -> Record:
    """What `model.json` says, not yet held against the files."""
    with _opened(directory, RECORD) as file:
        text = file.read(_MAX_RECORD_BYTES + 1)
    where = f"{directory}: {RECORD}"
    if len(text) > _MAX_RECORD_BYTES:
        raise mismatch(where, f"at most {_MAX_RECORD_BYTES} bytes", "more")
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise invalid(where, error) from error


def tensor_shapes(path: Path) -> dict[str, TensorType]:
    """Name to datatype and shape of every tensor in a safetensors file; reads its header alone."""
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
            return {name: TensorType(part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()}
    except SafetensorError as error:
        raise mismatch(path.name, "a safetensors file", error) from error


def check_tensors(expected: Mapping[str, TensorType], given: Mapping[str, TensorType], where: str) -> None:
    """Refuse tensors that are not those an architecture wants, naming the first that is missing, unknown or different.

    `where` names the file that gave them.
    """
    for name, wanted in expected.items():
        if name not in given:
            raise mismatch(f"{where}: tensor {name}", wanted, "nothing")
        if given[name] != wanted:
            raise mismatch(f"{where}: tensor {name}", wanted, given[name])
    for name in sorted(given.keys() - expected.keys()):
        raise mismatch(f"{where}: tensor {name}", "no such tensor", given[name])


def _check_file(directory: Path, name: str, expected: File) -> None:
    where = f"{directory}: {name}"
    with _opened(directory, name) as file:
        size_bytes = file.seek(0, os.SEEK_END)
        if size_bytes != expected.size_bytes:
            raise mismatch(where, f"{expected.size_bytes} bytes", size_bytes)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != expected.sha256:
        raise mismatch(where, f"sha256 {expected.sha256}", sha256)


@contextmanager
def _opened(directory: Path, name: str) -> Iterator[BufferedReader]:
    """A file of the bundle, open for reading; whatever is wrong with it is said under its name."""
    path, where = directory / name, f"{directory}: {name}"
    try:
        if not path.is_file():
            raise BundleError(f"{where}: no such file")
        # Only compared, not opened: a mounted model may stand behind a link into /proc, which resolves to elsewhere.
        if not path.resolve().is_relative_to(directory.resolve()):
            raise BundleError(f"{where}: leads out of the bundle")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BundleError(f"{where}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise mismatch(where, "UTF-8", f"byte {error.object[error.start]:#04x} at {error.start}") from error
