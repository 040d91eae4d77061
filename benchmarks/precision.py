"""How far a bundle's graph is from float32 in other precisions: `python -m benchmarks.precision BUNDLE PHOTO …`.

Over the photos and as many variants of them as are asked for. Clear is an image on which float32's best class leads by
more than 0.05; cosines are those of the logits, a probability's move is the greatest of any class.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from benchmarks.contender import PRECISIONS
from benchmarks.contenders.compiled import HINTS
from benchmarks.variants import Images, photos, variants
from bundle.maker import exporting
from bundle.reading import Bundle, read
from predictor.engine import Precision, graph_of
from predictor.openvino_engine import native_bfloat16

VARIANTS = 501
MARGIN = 0.05
AT_ONCE = 8

HEAD = (
    "| network | precision | images | clear | same best, clear | same best, all | least cosine | probability moves |",
    "|---|---|--:|--:|--:|--:|--:|--:|",
)

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Distance:
    """Of logits `[images, classes]` from those of float32."""

    images: int
    clear: int
    clear_same: int
    same: int
    least_cosine: float
    probability: float


def distance(exact: Logits, rough: Logits) -> Distance:
    was, now = _probabilities(exact), _probabilities(rough)
    best = np.sort(was, axis=1)
    clear, same = best[:, -1] - best[:, -2] > MARGIN, was.argmax(axis=1) == now.argmax(axis=1)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rough, axis=1)
    cosines = (exact * rough).sum(axis=1) / lengths
    return Distance(
        images=len(exact),
        clear=int(clear.sum()),
        clear_same=int((clear & same).sum()),
        same=int(same.sum()),
        least_cosine=float(cosines.min()),
        probability=float(np.abs(was - now).max()),
    )


def table(bundle: Bundle, images: Images) -> Iterator[str]:
    """Lines of Markdown, one for each other precision that bundle and machine have."""
    exact = _in_batches(_answering(bundle, "float32"), images)
    for precision in PRECISIONS:
        if precision == "float32" or graph_of(precision) not in bundle.record.graphs:
            continue
        if precision == "bfloat16" and not native_bfloat16():
            continue
        found = distance(exact, _in_batches(_answering(bundle, precision), images))
        yield f"| {bundle.record.architecture.name} | {precision} | {_cells(found)} |"


def _cells(found: Distance) -> str:
    same = f"{found.clear_same} | {found.same}"
    return f"{found.images} | {found.clear} | {same} | {found.least_cosine:.6f} | {found.probability:.4f}"


def _answering(bundle: Bundle, precision: Precision) -> Callable[[Images], Logits]:
    core = openvino.Core()
    graph = exporting.logits(core.read_model(*bundle.graph(graph_of(precision))))
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": HINTS[precision]})
    return lambda images: np.array(compiled([images])[0])


def _in_batches(answer: Callable[[Images], Logits], images: Images) -> Logits:
    return np.concatenate([answer(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)])


def _probabilities(logits: Logits) -> Logits:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Logits = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--variants", type=int, default=VARIANTS)
    options = parser.parse_args()
    bundle = read(options.bundle)
    originals = photos(options.photos, bundle.record.preprocessing.crop)
    images = np.concatenate((originals, variants(originals, options.variants)))
    for line in (*HEAD, *table(bundle, images)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
