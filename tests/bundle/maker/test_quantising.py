from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from PIL.Image import Resampling, Transpose

from bundle import reading
from bundle.errors import BundleError
from bundle.maker import writing
from bundle.maker.making import Order, make, quantise
from bundle.maker.quantising import Plan, Ranges
from bundle.reading import Bundle
from bundle.record import Precision
from tests.assets import PHOTOS, TOP_FIVE, WEIGHTS, needs_assets
from tests.bundle import tiny

pytestmark = [needs_assets, pytest.mark.slow]

EDGE = 256
SIZES = {"calibration": 60, "holdout": 320}


def variant(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """Another photo of the same thing: a part of it, mirrored or not, brighter or darker, with noise."""
    short = min(photo.size)
    width, height = (int(random.uniform(0.55, 1) * short) for _ in range(2))
    left, top = (int(random.uniform(0, all_ - part)) for all_, part in zip(photo.size, (width, height), strict=True))
    part = photo.crop((left, top, left + width, top + height)).resize((EDGE, EDGE), Resampling.BILINEAR)
    if random.random() < 0.5:
        part = part.transpose(Transpose.FLIP_LEFT_RIGHT)
    levels = np.asarray(ImageEnhance.Brightness(part).enhance(random.uniform(0.6, 1.4)))
    noisy = levels + random.normal(0, random.choice([0, 5, 12]), levels.shape)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(1)
    photos = [Image.open(PHOTOS / name).convert("RGB") for name in TOP_FIVE]
    root = tmp_path_factory.mktemp("photos")
    for name, count in SIZES.items():
        (root / name).mkdir()
        for number in range(count):
            variant(photos[number % len(photos)], random).save(root / name / f"{number:03}.bmp")
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make(Order("squeezenet1_1", tmp_path_factory.mktemp("bundles") / "made", str(WEIGHTS)))


@pytest.fixture
def bundle(made: Bundle, tmp_path: Path) -> Path:
    """A copy to be quantised."""
    writing.copy(made, tmp_path / "bundle")
    return tmp_path / "bundle"


def plan(folders: Path, ranges: Ranges = "histogram") -> Plan:
    return Plan(folders / "calibration", folders / "holdout", ranges=ranges)


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_int8_as_nncf_would_make_it_is_refused_with_the_figure_and_nothing_is_written(
    bundle: Path, folders: Path
) -> None:
    before = files(bundle.parent)
    with pytest.raises(BundleError) as refused:
        quantise(bundle, plan(folders, "mean"))
    text = str(refused.value)
    opening = "int8: expected the best class of float32 on at least 99.00% of the counted held-out photos, got "
    assert text.startswith(opening)
    share, same, _, counted, *_ = text.removeprefix(opening).replace("(", "").replace("%", "").split()
    assert 85 <= float(share) <= 97
    assert int(same) / int(counted) == pytest.approx(float(share) / 100, abs=1e-4)
    assert files(bundle.parent) == before


@pytest.fixture(scope="module")
def quantised(made: Bundle, folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    directory = tmp_path_factory.mktemp("bundles") / "quantised"
    writing.copy(made, directory)
    return quantise(directory, plan(folders))


def test_int8_that_agrees_is_written_with_its_figures(quantised: Bundle, made: Bundle) -> None:
    assert quantised == reading.read(quantised.directory)
    graph = quantised.record.graphs["int8"]
    assert (graph.model, graph.weights, graph.benchmark_only) == ("openvino/int8.xml", "openvino/int8.bin", False)
    agreement = graph.agreement
    assert agreement is not None
    assert (agreement.photos, agreement.margin) == (SIZES["holdout"], 0.05)
    assert agreement.counted >= 200
    assert agreement.top1 >= 0.99
    assert agreement.top5 >= 0.9
    assert agreement.cosine >= 0.999
    before, after = files(made.directory), files(quantised.directory)
    assert {name for name in after if after[name] != before.get(name)} == {
        "model.json", "openvino/int8.xml", "openvino/int8.bin"
    }  # fmt: skip


def test_int8_is_a_third_of_float32_and_takes_and_gives_the_same(quantised: Bundle) -> None:
    float32, int8 = (ov.Core().read_model(*quantised.graph(precision)) for precision in ("float32", "int8"))
    for mine, its in zip(float32.inputs + float32.outputs, int8.inputs + int8.outputs, strict=True):
        assert (mine.names, mine.element_type, mine.partial_shape) == (its.names, its.element_type, its.partial_shape)
    sizes = [quantised.graph(precision)[1].stat().st_size for precision in ("int8", "float32")]
    assert sizes[0] < sizes[1] / 3


def test_the_recorded_share_is_what_the_saved_graphs_answer(quantised: Bundle, folders: Path) -> None:
    def answers(precision: Precision) -> NDArray[np.float32]:
        model = ov.Core().read_model(*quantised.graph(precision))
        compiled = ov.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        photos = sorted((folders / "holdout").iterdir())
        middle = (16, 16, 240, 240)  # of photos that are as large as `resize` already
        pixels = [np.asarray(Image.open(path).crop(middle)) for path in photos]
        return np.stack([compiled(image[None])[0][0] for image in pixels])

    expected, given = answers("float32"), answers("int8")
    best = np.sort(expected, axis=1)
    counted = best[:, -1] - best[:, -2] > 0.05
    same = expected.argmax(axis=1) == given.argmax(axis=1)
    agreement = quantised.record.graphs["int8"].agreement
    assert agreement is not None
    assert agreement.counted == counted.sum()
    assert agreement.top1 == pytest.approx(same[counted].mean())


def test_too_few_held_out_photos_are_refused_before_the_work(bundle: Path, folders: Path) -> None:
    with pytest.raises(BundleError, match=r"calibration: expected at least 200 photos held out, got 60$"):
        quantise(bundle, Plan(folders / "holdout", folders / "calibration"))
    with pytest.raises(BundleError, match=r"calibration: expected at least 200 photos held out, got 30$"):
        quantise(bundle, Plan(folders / "calibration"))


def test_a_folder_without_photos_is_refused(bundle: Path, folders: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match="empty: expected photos to calibrate with, got none"):
        quantise(bundle, Plan(tmp_path / "empty", folders / "holdout"))


def test_what_lies_beside_a_bundle_is_not_lost(bundle: Path) -> None:
    (bundle / "thesis.txt").touch()
    with pytest.raises(BundleError, match=r"holds thesis\.txt, which is no part of its bundle"):
        quantise(bundle, Plan(benchmark_only=True))
    assert (bundle / "thesis.txt").exists()


def test_a_bundle_that_is_damaged_is_not_quantised(bundle: Path) -> None:
    tiny.change(bundle, "classes", 3)
    with pytest.raises(BundleError, match="expected 3 labels"):
        quantise(bundle, Plan(benchmark_only=True))


def test_a_benchmark_only_graph_with_photos_says_how_it_did(bundle: Path, folders: Path) -> None:
    naive = Plan(folders / "holdout", folders / "calibration", ranges="mean", benchmark_only=True)
    graph = quantise(bundle, naive).record.graphs["int8"]
    assert graph.benchmark_only
    assert graph.agreement is not None
    assert graph.agreement.photos == SIZES["calibration"]
