import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import Weights, WeightsEnum, get_model, get_model_weights
from torchvision.transforms._presets import ImageClassification

from bundle import architecture, reading
from bundle.errors import BundleError, DownloadFailed
from bundle.maker import photos
from bundle.maker.making import Order, make
from bundle.maker.published import Catalogue
from bundle.reading import Bundle
from bundle.record import Architecture
from tests.assets import PHOTOS, TOP_FIVE, WEIGHTS, needs_assets
from tests.bundle.maker.loopback import serving

THREE = ["one", "two", "three"]


def saved(path: Path, network: nn.Module) -> Path:
    torch.save(network.state_dict(), path)
    return path


def listed(path: Path, labels: list[str]) -> Path:
    path.write_text("\n".join(labels) + "\n", "utf-8")
    return path


def squeezenet(classes: int) -> nn.Module:
    torch.manual_seed(5)
    return architecture.build(Architecture(name="squeezenet1_1"), classes).eval()


@pytest.fixture(scope="module")
def photographed(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of the real weights."""
    return make(Order("squeezenet1_1", tmp_path_factory.mktemp("bundles") / "squeezenet", str(WEIGHTS)))


@needs_assets
@pytest.mark.parametrize("photo", TOP_FIVE)
def test_a_bundle_of_real_weights_knows_what_is_on_a_photo(photographed: Bundle, photo: str) -> None:
    transform = get_model_weights("squeezenet1_1")["DEFAULT"].transforms()
    with Image.open(PHOTOS / photo) as image, torch.inference_mode():
        logits = architecture.load(photographed)(transform(image.convert("RGB"))[None])
    values, classes = logits.softmax(dim=1)[0].topk(5)
    assert classes.tolist() == list(TOP_FIVE[photo])
    assert values.tolist() == pytest.approx(list(TOP_FIVE[photo].values()), abs=0.002)


@needs_assets
def test_the_graph_of_real_weights_answers_as_torch_does(photographed: Bundle) -> None:
    model, weights = photographed.graph("float32")
    compiled = ov.compile_model(ov.Core().read_model(model, weights), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    transform = get_model_weights("squeezenet1_1")["DEFAULT"].transforms()
    for name in TOP_FIVE:
        pixels = photos.read(PHOTOS / name, photographed.record.preprocessing.contract)
        with Image.open(PHOTOS / name) as image, torch.inference_mode():
            expected = architecture.load(photographed)(transform(image.convert("RGB"))[None]).softmax(dim=1)
        np.testing.assert_allclose(compiled(pixels[None])["probabilities"], expected.numpy(), rtol=0, atol=1e-4)


@needs_assets
def test_a_bundle_of_a_state_dict_says_what_it_is(photographed: Bundle) -> None:
    record = photographed.record
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert photographed == reading.read(photographed.directory)
    assert (record.version, record.trained, record.classes) == (f"sha256-{digest[:12]}", True, 1000)
    assert record.preprocessing.contract.fingerprint == "1-bilinear-256-224"
    assert (record.licence, record.origin) == ("unknown", WEIGHTS.name)
    assert photographed.labels[285] == "Egyptian cat"
    assert {kind.dtype for kind in reading.tensor_shapes(photographed.weights).values()} == {"F32"}


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_a_network_with_auxiliary_heads_answers_as_torchvision_has_it(tmp_path: Path, name: str) -> None:
    torch.manual_seed(6)
    network = get_model(name, num_classes=3, init_weights=False, aux_logits=True, transform_input=True).eval()
    weights = saved(tmp_path / "net.pth", network)
    bundle = make(Order(name, tmp_path / "bundle", str(weights), listed(tmp_path / "three.txt", THREE), graph=False))
    image = torch.rand(1, 3, 299, 299)
    with torch.inference_mode():
        assert torch.equal(architecture.load(bundle)(image), network(image))


def test_options_of_the_order_are_kept(tmp_path: Path) -> None:
    order = Order(
        "squeezenet1_1",
        tmp_path / "bundle",
        str(saved(tmp_path / "net.pth", squeezenet(3))),
        labels=listed(tmp_path / "three.txt", ["\ufeff one ", "two", "three", "", ""]),
        resize=96,
        crop=64,
        licence="MIT",
        origin="our own",
    )
    bundle = make(order)
    assert bundle.labels == tuple(THREE)
    assert bundle.record.preprocessing.contract.fingerprint == "1-bilinear-96-64"
    assert (bundle.record.licence, bundle.record.origin) == ("MIT", "our own")


def test_untrained_weights_say_so_and_are_the_same_again(tmp_path: Path) -> None:
    labels = listed(tmp_path / "three.txt", THREE)
    first, again = (
        make(Order("resnet18", tmp_path / out, "untrained", labels=labels, resize=64, crop=64, seed=9)).record
        for out in ("first", "again")
    )
    assert first == again
    assert (first.version, first.trained, first.classes) == ("untrained", False, 3)
    assert first.origin == "seed 9"


@pytest.mark.parametrize("labels", [["one", "two"], [*THREE, "four"]])
def test_labels_that_are_not_as_many_as_classes_are_refused(tmp_path: Path, labels: list[str]) -> None:
    weights = saved(tmp_path / "net.pth", squeezenet(3))
    with pytest.raises(BundleError, match=f"names.txt: expected 3 labels, one a class, got {len(labels)}"):
        make(Order("squeezenet1_1", tmp_path / "out", str(weights), labels=listed(tmp_path / "names.txt", labels)))


def test_other_classes_than_those_of_imagenet_need_labels(tmp_path: Path) -> None:
    weights = saved(tmp_path / "net.pth", squeezenet(3))
    with pytest.raises(BundleError, match=r"--labels gives others.*: expected 3 labels, one a class, got 1000"):
        make(Order("squeezenet1_1", tmp_path / "out", str(weights)))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"one\n\nthree\n", "line 2 is empty"),
        (b"\xff\xfe", "expected UTF-8, got byte 0xff at 0"),
        (b"one\n", "expected 2 labels, one a class, got 1"),
        (b"", "expected 2 labels, one a class, got 1"),
    ],
)
def test_labels_that_cannot_be_served_are_refused(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(BundleError, match=f"names.txt: {text}"):
        make(Order("squeezenet1_1", tmp_path / "out", "untrained", labels=tmp_path / "names.txt"))


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("squeezenet1_0", r"tensor features.0.weight: expected F32 \[96, 3, 7, 7\], got F32 \[64, 3, 3, 3\]"),
        ("resnet18", r"tensor conv1.weight: expected F32 \[64, 3, 7, 7\], got nothing"),
    ],
)
def test_weights_of_another_architecture_are_refused_by_tensor(tmp_path: Path, wanted: str, text: str) -> None:
    weights = saved(tmp_path / "net.pth", squeezenet(3))
    with pytest.raises(BundleError, match=f"net.pth: {text}"):
        make(Order(wanted, tmp_path / "out", str(weights), labels=listed(tmp_path / "three.txt", THREE)))
    assert not (tmp_path / "out").exists()


def test_a_tensor_too_many_is_refused_by_name(tmp_path: Path) -> None:
    torch.save(squeezenet(3).state_dict() | {"ema.decay": torch.ones(1)}, tmp_path / "net.pth")
    with pytest.raises(BundleError, match=r"net\.pth: tensor ema\.decay: expected no such tensor"):
        make(Order("squeezenet1_1", tmp_path / "out", str(tmp_path / "net.pth"), listed(tmp_path / "three.txt", THREE)))


def test_weights_that_fit_but_give_no_numbers_are_refused(tmp_path: Path) -> None:
    network = architecture.build(Architecture(name="mobilenet_v3_small"), 3)
    tensors = network.state_dict()
    tensors["features.0.1.running_var"] -= 2
    torch.save(tensors, tmp_path / "net.pth")
    order = Order(
        "mobilenet_v3_small", tmp_path / "out", str(tmp_path / "net.pth"), listed(tmp_path / "three.txt", THREE)
    )
    with pytest.raises(BundleError, match="numbers that are not finite"):
        make(order)
    assert {path.name for path in tmp_path.iterdir()} == {"net.pth", "three.txt"}


def test_an_unknown_source_of_weights_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    expected = "weights: expected untrained, a file, or one of IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT, got 'V3'"
    with pytest.raises(BundleError, match=expected):
        make(Order("resnet50", tmp_path / "out", "V3"))


def test_a_crop_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="crop: inception_v3 does not take 32 pixels"):
        make(Order("inception_v3", tmp_path / "out", crop=32))


@contextmanager
def publishing(content: bytes, digest: str) -> Iterator[Catalogue]:
    """A catalogue of one network, whose weights lie on the loopback interface."""
    path = f"/models/squeezenet-{digest[:8]}.pth"
    with serving(path, content) as (address, _):

        class Published(WeightsEnum):  # type: ignore[misc]  # torchvision is not typed
            OURS_V1 = Weights(
                url=address + path,
                transforms=partial(ImageClassification, crop_size=64, resize_size=96),
                meta={"categories": THREE},
            )
            DEFAULT = OURS_V1

        yield lambda _name: Published


def pickled(network: nn.Module) -> bytes:
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    return buffer.getvalue()


def test_published_weights_are_fetched_and_described(tmp_path: Path) -> None:
    network = squeezenet(3)
    content = pickled(network)
    digest = hashlib.sha256(content).hexdigest()
    with publishing(content, digest) as catalogue:
        bundle = make(Order("squeezenet1_1", tmp_path / "out"), catalogue, tmp_path / "cache")
        url = catalogue("squeezenet1_1")["DEFAULT"].url
    record = bundle.record
    assert (record.version, record.trained, bundle.labels) == ("OURS_V1", True, tuple(THREE))
    assert (record.licence, record.origin) == ("BSD-3-Clause", url)
    assert record.preprocessing.contract.fingerprint == "1-bilinear-96-64"
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(architecture.load(bundle)(image), network(image))


def test_published_weights_with_another_digest_make_no_bundle(tmp_path: Path) -> None:
    with publishing(pickled(squeezenet(3)), "0badf00d") as catalogue, pytest.raises(BundleError, match="0badf00d, got"):
        make(Order("squeezenet1_1", tmp_path / "out"), catalogue, tmp_path / "cache")
    assert list(tmp_path.iterdir()) == [tmp_path / "cache"]
    assert list((tmp_path / "cache").iterdir()) == []


def test_published_weights_out_of_reach_make_no_bundle(tmp_path: Path) -> None:
    with publishing(b"", "0badf00d") as catalogue:
        pass
    with pytest.raises(DownloadFailed, match=r"squeezenet-0badf00d\.pth failed: "):
        make(Order("squeezenet1_1", tmp_path / "out"), catalogue, tmp_path / "cache")
    assert not (tmp_path / "out").exists()


def test_a_destination_that_is_taken_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(BundleError, match="exists and is not a bundle"):
        make(Order("no such network", tmp_path))
