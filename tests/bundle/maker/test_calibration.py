import pytest
import torch
from torch import Tensor, nn

from bundle import architecture
from bundle.maker import calibration, published
from bundle.record import Architecture, Preset

SMALL = Preset(resize=64, crop=64, interpolation="bilinear", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def network(name: str, tensors: dict[str, Tensor], classes: int) -> nn.Module:
    empty = architecture.outline(
        Architecture(name=name, options=published.options(name, SMALL.crop)), classes, SMALL.crop
    )
    architecture.assign(empty, tensors)
    return empty


def drawn(name: str, seed: int = 0, classes: int = 100) -> dict[str, Tensor]:
    wanted = Architecture(name=name, options=published.options(name, SMALL.crop))
    return calibration.untrained(wanted, classes, SMALL, seed)


def test_a_seed_gives_the_same_weights_again() -> None:
    first, again, other = drawn("mobilenet_v3_small", 1), drawn("mobilenet_v3_small", 1), drawn("mobilenet_v3_small", 2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["classifier.3.weight"], other["classifier.3.weight"])


def test_drawing_leaves_the_generator_of_the_process_alone() -> None:
    before = torch.get_rng_state()
    drawn("squeezenet1_1")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "name", ["resnet18", "squeezenet1_1", "alexnet", "vit_b_32", "convnext_tiny", "googlenet", "regnet_y_400mf"]
)
def test_classes_are_neither_all_alike_nor_certain_and_depend_on_the_image(name: str) -> None:
    answering = network(name, drawn(name), classes=100)
    torch.manual_seed(11)
    with torch.inference_mode():
        probabilities = answering(calibration.synthetic_images(8, SMALL)).softmax(dim=1)
    best = probabilities.amax(dim=1)
    assert best.median() > 0.03  # equal classes would have 0.01
    assert best.median() < 0.9
    assert len(set(probabilities.argmax(dim=1).tolist())) >= 4


def test_batch_norm_knows_the_statistics_of_what_it_sees() -> None:
    answering = network("resnet18", drawn("resnet18"), classes=100)
    torch.manual_seed(12)
    seen: list[tuple[float, float]] = []

    def look(_layer: nn.Module, _given: object, output: Tensor) -> None:
        seen.append((output.mean().item(), output.std().item()))

    for layer in answering.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(look)
    with torch.inference_mode():
        answering(calibration.synthetic_images(32, SMALL))
    assert len(seen) == 20
    assert all(abs(mean) < 0.2 and 0.7 < std < 1.4 for mean, std in seen)


def test_without_calibration_batch_norm_does_not() -> None:
    raw = architecture.build(Architecture(name="resnet18"), 100).state_dict()
    assert all((tensor == 1).all() for name, tensor in raw.items() if name.endswith("running_var"))


def test_logits_have_the_stated_spread() -> None:
    answering = network("squeezenet1_1", drawn("squeezenet1_1"), classes=100)
    torch.manual_seed(13)
    with torch.inference_mode():
        spread = answering(calibration.synthetic_images(32, SMALL)).std(dim=1).mean()
    assert spread == pytest.approx(2.0, rel=0.3)


def test_synthetic_images_stay_within_what_pixels_can_be() -> None:
    images = calibration.synthetic_images(16, SMALL)
    assert images.shape == (16, 3, 64, 64)
    pixels = images * torch.tensor(SMALL.std).reshape(3, 1, 1) + torch.tensor(SMALL.mean).reshape(3, 1, 1)
    assert pixels.min() > -1e-6
    assert pixels.max() < 1 + 1e-6
    assert pixels.mean() == pytest.approx(0.5, abs=0.1)
    assert pixels.std() > 0.15


def test_synthetic_images_are_smooth_as_photos_are() -> None:
    images = calibration.synthetic_images(16, SMALL)
    neighbours = (images[..., 1:] - images[..., :-1]).square().mean()
    strangers = (images[..., 32:] - images[..., :32]).square().mean()
    assert neighbours < strangers / 2
