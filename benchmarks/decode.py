"""What `DECODE=fast` saves and what it changes: time, levels of the pixels, probabilities of a classifier.

`python -m benchmarks.decode PHOTO … [--weights FILE] [--rounds N]`. Each photo is enlarged to what a camera gives,
without and with a sensor's grain, and decoded, resized and cropped in turn as `exact` and as `fast`; times are medians.
They are processor time, since all of it is one thread's work and neighbours on the machine then disturb less.
`--weights` are those of torchvision's squeezenet1_1. Only ratios compare between machines.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from oip.contract import Preprocessing
from transformer.image import ImageLimits, decode
from transformer.preprocessing import enough, prepare

Pixels = NDArray[np.uint8]
Classifier = Callable[[Pixels], NDArray[np.float32]]

PREPROCESSING = Preprocessing(232, 224)
SIZES = ((640, 480), (1856, 1856), (4000, 3000), (4031, 3023))
GRAINS = (0.0, 4.0, 12.0)
"""Standard deviation, in levels, of what a sensor adds to each pixel: a smooth picture, a photo, one of the night."""

ROUNDS = 15

HEAD = (
    "| photo | pixels | grain | KB | exact ms | fast ms | ratio | mean, max level | best class | probability moves |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Change:
    """How `fast` differs from `exact` in one photo: levels of 255, and most that a class's probability moves."""

    mean_levels: float
    max_levels: int
    same_best: bool | None = None
    probability: float | None = None


@dataclass(frozen=True)
class Result:
    """Median times of both in milliseconds, and the change."""

    exact_ms: float
    fast_ms: float
    change: Change

    @property
    def ratio(self) -> float:
        return self.fast_ms / self.exact_ms


def exact(data: bytes) -> Pixels:
    return prepare(decode(data, ImageLimits()), PREPROCESSING)


def fast(data: bytes) -> Pixels:
    return prepare(decode(data, ImageLimits(), enough=enough(PREPROCESSING)), PREPROCESSING)


def camera_jpeg(photo: Image.Image, size: tuple[int, int], grain: float) -> bytes:
    """The photo enlarged (bicubic) to `size`, with this grain, as a JPEG of quality 90, chroma halved."""
    levels = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
    levels += grain * np.random.default_rng(0).standard_normal(levels.shape, np.float32)
    buffer = BytesIO()
    Image.fromarray(levels.round().clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def change(data: bytes, classify: Classifier | None = None) -> Change:
    as_exact, as_fast = exact(data), fast(data)
    levels = np.abs(as_exact.astype(int) - as_fast)
    if classify is None:
        return Change(float(levels.mean()), int(levels.max()))
    was, now = classify(as_exact), classify(as_fast)
    same_best = bool(was.argmax() == now.argmax())
    return Change(float(levels.mean()), int(levels.max()), same_best, float(np.abs(was - now).max()))


def measure(
    data: bytes, rounds: int, clock: Callable[[], float] = time.thread_time, classify: Classifier | None = None
) -> Result:
    """Exact, fast, exact, fast, …; `clock` gives seconds."""
    seconds: dict[Callable[[bytes], Pixels], list[float]] = {exact: [], fast: []}
    for _ in range(rounds):
        for way, times in seconds.items():
            start = clock()
            way(data)
            times.append(clock() - start)
    exact_ms, fast_ms = (statistics.median(times) * 1000 for times in seconds.values())
    return Result(exact_ms, fast_ms, change(data, classify))


def table(
    photos: Sequence[Path], rounds: int, classify: Classifier | None = None, sizes: Sequence[tuple[int, int]] = SIZES
) -> Iterator[str]:
    """Lines of Markdown, one for each photo, size and grain."""
    yield from HEAD
    for path in photos:
        with Image.open(path) as photo:
            for size, grain in ((size, grain) for size in sizes for grain in GRAINS):
                data = camera_jpeg(photo, size, grain)
                result = measure(data, rounds, classify=classify)
                yield f"| {path.stem} | {size[0]}x{size[1]} | {grain:g} | {len(data) // 1000} | {_cells(result)} |"


def _cells(result: Result) -> str:
    moved = result.change
    best = {None: "", True: "same", False: "another"}[moved.same_best]
    probability = "" if moved.probability is None else f"{moved.probability:.4f}"
    times = f"{result.exact_ms:.1f} | {result.fast_ms:.1f} | {result.ratio:.2f}"
    return f"{times} | {moved.mean_levels:.2f}, {moved.max_levels} | {best} | {probability}"


def squeezenet(weights: Path) -> Classifier:
    """Probabilities of torchvision's squeezenet1_1 in float32."""
    import torch
    from safetensors.torch import load_file
    from torchvision.models import squeezenet1_1

    torch.set_num_threads(1)
    network = squeezenet1_1().eval()
    network.load_state_dict(load_file(weights))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])

    def classify(pixels: Pixels) -> NDArray[np.float32]:
        with torch.inference_mode():
            batch = ((torch.from_numpy(pixels) / 255 - mean) / std).permute(2, 0, 1)[None]
            probabilities: NDArray[np.float32] = torch.softmax(network(batch)[0], dim=0).numpy()
        return probabilities

    return classify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(f"Pillow {version('pillow')}, libjpeg-turbo {features.version('libjpeg_turbo')}, {options.rounds} rounds\n")
    for line in table(options.photos, options.rounds, squeezenet(options.weights) if options.weights else None):
        print(line, flush=True)


if __name__ == "__main__":
    main()
