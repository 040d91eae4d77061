import pytest

from bundle import architecture
from bundle.errors import BundleError
from bundle.maker import published
from bundle.record import Preset


def default(name: str) -> Preset:
    return published.preset(published.CATALOGUE(name)[published.DEFAULT])


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.mark.parametrize(
    ("name", "resize", "crop", "interpolation"),
    [
        ("resnet50", 232, 224, "bilinear"),
        ("squeezenet1_1", 256, 224, "bilinear"),
        ("inception_v3", 342, 299, "bilinear"),
        ("efficientnet_b3", 320, 300, "bicubic"),
        ("vit_h_14", 518, 518, "bicubic"),
    ],
)
def test_preprocessing_is_that_of_the_published_weights(name: str, resize: int, crop: int, interpolation: str) -> None:
    expected = {"resize": resize, "crop": crop, "interpolation": interpolation} | IMAGENET
    assert default(name).model_dump() == expected


def test_normalisation_is_that_of_the_published_weights() -> None:
    assert default("efficientnet_v2_l").mean == default("efficientnet_v2_l").std == (0.5, 0.5, 0.5)


def test_every_architecture_has_published_preprocessing() -> None:
    for name in architecture.names():
        assert default(name).crop <= default(name).resize


def test_sizes_may_be_chosen() -> None:
    weights = published.CATALOGUE("resnet50")["IMAGENET1K_V1"]
    assert published.preset(weights, resize=300).contract.fingerprint == "1-bilinear-300-224"
    assert published.preset(weights, crop=128).contract.fingerprint == "1-bilinear-256-128"


@pytest.mark.parametrize(("resize", "crop"), [(0, None), (None, 0), (100, None), (None, 300), (5000, None)])
def test_sizes_that_do_not_fit_are_refused(resize: int | None, crop: int | None) -> None:
    with pytest.raises(BundleError, match="preprocessing: "):
        published.preset(published.CATALOGUE("resnet50")[published.DEFAULT], resize, crop)
