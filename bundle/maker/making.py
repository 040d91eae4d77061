"""Make a bundle: find the weights, fit them to the architecture, write, and see the network answer once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import WeightsEnum

from bundle import architecture, labels, reading
from bundle.errors import BundleError, mismatch
from bundle.maker import calibration, exporting, published, quantising, state_dict, writing
from bundle.maker.downloading import download
from bundle.maker.published import Catalogue
from bundle.maker.quantising import Plan
from bundle.maker.writing import Model
from bundle.reading import Bundle
from bundle.record import UNTRAINED, Architecture

_DIGITS = 12


@dataclass(frozen=True)
class Order:
    """What is wanted. `weights` is a file, `untrained` or the name of published ones; None stands for what they say."""

    architecture: str
    out: Path
    weights: str = published.DEFAULT
    labels: Path | None = None
    seed: int = 0
    resize: int | None = None
    crop: int | None = None
    licence: str | None = None
    origin: str | None = None
    force: bool = False
    graph: bool = True
    quantisation: Plan | None = None


@dataclass(frozen=True)
class _Source:
    """Where tensors come from."""

    version: str
    licence: str
    origin: str


def make(order: Order, catalogue: Catalogue = published.CATALOGUE, cache: Path | None = None) -> Bundle:
    """Make what is ordered; raises BundleError, and leaves nothing at `order.out`, when it cannot be made.

    `catalogue` says what is published, `cache` keeps downloads (torchvision's own directory by default).
    """
    writing.check_destination(order.out, force=order.force)
    model = _model(order, catalogue, cache or Path(torch.hub.get_dir()) / "checkpoints")
    with writing.staging(order.out) as directory:
        writing.write(model, directory)
        _check_answer(reading.read(directory))
        if order.graph:
            exporting.add_graph(directory)
        if order.quantisation is not None:
            quantising.add_graph(directory, order.quantisation)
        bundle = reading.read(directory)
    return replace(bundle, directory=order.out)


def quantise(directory: Path, plan: Plan) -> Bundle:
    """Add an int8 graph to the bundle in `directory`, or make its own anew; raises BundleError and leaves the bundle as
    it was when that cannot be made.
    """
    writing.check_destination(directory, force=True)
    former = reading.read(directory)
    with writing.staging(directory) as staged:
        writing.copy(former, staged)
        quantising.add_graph(staged, plan)
        bundle = reading.read(staged)
    return replace(bundle, directory=directory)


def _model(order: Order, catalogue: Catalogue, cache: Path) -> Model:
    architecture.check_name(order.architecture)
    named = catalogue(order.architecture).__members__
    entry = named.get(order.weights, named[published.DEFAULT])
    preset = published.preset(entry, order.resize, order.crop)
    wanted = Architecture(name=order.architecture, options=published.options(order.architecture, preset.crop))
    architecture.outline(wanted, classes=2, crop=preset.crop)  # a bad crop is said before anything is downloaded
    lines = _labels(order.labels, entry)
    if order.weights == UNTRAINED:
        source = _Source(UNTRAINED, licence="none (random numbers)", origin=f"seed {order.seed}")
        tensors = calibration.untrained(wanted, len(lines), preset, order.seed)
    else:
        path, source = _found(order.weights, named, cache)
        stated = "torchvision's labels (--labels gives others)" if order.labels is None else order.labels.name
        tensors = _fitted(path, wanted, preset.crop, lines, stated)
    licence, origin = order.licence or source.licence, order.origin or source.origin
    return Model(wanted, preset, tensors, lines, source.version, licence, origin)


def _labels(path: Path | None, entry: WeightsEnum) -> Sequence[str]:
    if path is None:
        categories: list[str] = entry.meta["categories"]
        return categories
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").rstrip().split("\n")]
    except UnicodeDecodeError as error:
        raise mismatch(path.name, "UTF-8", f"byte {error.object[error.start]:#04x} at {error.start}") from error
    labels.check(lines, max(len(lines), 2), path.name)
    return lines


def _found(weights: str, named: Mapping[str, WeightsEnum], cache: Path) -> tuple[Path, _Source]:
    if weights in named:
        entry = named[weights]
        licence = entry.meta.get("license", published.LICENCE)
        return download(entry.url, cache), _Source(entry.name, licence, origin=entry.url)
    path = Path(weights)
    if not path.is_file():
        raise mismatch("weights", f"{UNTRAINED}, a file, or one of {', '.join(named)}", repr(weights))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path, _Source(f"sha256-{digest[:_DIGITS]}", licence="unknown", origin=path.name)


def _fitted(path: Path, wanted: Architecture, crop: int, lines: Sequence[str], stated: str) -> dict[str, Tensor]:
    """The tensors of a file, of which the last layer says how many classes there are; `stated` names the labels."""
    tensors = state_dict.read(path)
    head, _ = architecture.head(architecture.outline(wanted, classes=2, crop=crop))
    weight = tensors.get(f"{head}.weight")
    classes = len(lines) if weight is None or weight.ndim == 0 else weight.shape[0]
    labels.check(lines, classes, stated)
    expected = architecture.outline(wanted, classes, crop).state_dict()
    tensors = state_dict.with_batch_counts(tensors, expected)
    reading.check_tensors(architecture.tensor_types(expected), architecture.tensor_types(tensors), path.name)
    return tensors


def _check_answer(bundle: Bundle) -> None:
    """Weights may fit in name and shape and still give no number, as with a negative variance."""
    crop = bundle.record.preprocessing.crop
    logits = architecture.load(bundle)(torch.zeros(1, 3, crop, crop))
    if not torch.isfinite(logits).all():
        raise BundleError(f"{bundle.record.weights}: the network answers with numbers that are not finite")
