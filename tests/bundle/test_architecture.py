from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bundle import architecture, reading
from bundle.errors import BundleError
from bundle.maker import published
from bundle.record import Architecture
from tests.bundle import tiny


def stored(directory: Path, name: str, classes: int, **changed: torch.Tensor) -> Path:
    """A bundle of a freshly drawn network, some tensors of which are changed."""
    tiny.write(directory, tuple(f"class {number}" for number in range(classes)))
    network = architecture.build(Architecture(name=name), classes)
    save_file(network.state_dict() | changed, directory / "model.safetensors")
    tiny.rewrite(directory, "model.safetensors", (directory / "model.safetensors").read_bytes())
    tiny.change(directory, "architecture", {"name": name})
    tiny.change(directory, "classes", classes)
    return directory


@pytest.mark.slow
def test_every_architecture_is_outlined_as_published() -> None:
    for name in architecture.names():
        crop = published.preset(published.CATALOGUE(name)[published.DEFAULT]).crop
        wanted = Architecture(name=name, options=published.options(name, crop))
        network = architecture.outline(wanted, classes=7, crop=crop)
        _, head = architecture.head(network)
        assert head.weight.shape[0] == 7, name
        assert {buffer for buffer, _ in network.named_buffers()} <= set(network.state_dict()), name
        assert {kind.dtype for kind in architecture.tensor_types(network.state_dict()).values()} <= {"F32", "I64"}


def test_there_are_as_many_architectures_as_torchvision_has() -> None:
    assert len(architecture.names()) >= 80
    assert {"resnet50", "squeezenet1_1", "vit_b_16"} <= set(architecture.names())


@pytest.mark.parametrize("name", ["mnasnet0_5", "regnet_y_400mf", "squeezenet1_1"])
def test_a_loaded_network_answers_as_the_one_that_was_saved(tmp_path: Path, name: str) -> None:
    torch.manual_seed(3)
    saved = architecture.build(Architecture(name=name), 5).eval()
    network = architecture.load(reading.read(stored(tmp_path, name, 5, **saved.state_dict())))
    with torch.inference_mode():
        image = torch.rand(1, 3, 64, 64)
        torch.testing.assert_close(network(image), saved(image), rtol=1e-4, atol=1e-9)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_an_unknown_name_is_refused_with_close_ones() -> None:
    with pytest.raises(BundleError, match=r"no classification network 'resnet5' \(resnet50, "):
        architecture.build(Architecture(name="resnet5"), 10)


@pytest.mark.parametrize("name", ["fasterrcnn_resnet50_fpn", "fcn_resnet50", "", "nothing like any"])
def test_a_network_that_does_not_classify_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match="no classification network"):
        architecture.check_name(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet50", {"colour": 3}),
        ("resnet50", {"weights": "DEFAULT"}),
        ("resnet50", {"pretrained": True}),
        ("vit_b_16", {"image_size": 100}),
        ("maxvit_t", {"input_size": (200, 200)}),
    ],
)
def test_options_that_torchvision_does_not_take_are_refused(
    name: str, options: dict[str, bool | int | str | tuple[int, ...]]
) -> None:
    with pytest.raises(BundleError, match=f"architecture: {name} cannot be built: "):
        architecture.build(Architecture(name=name, options=options), 10)


def test_a_crop_that_the_network_does_not_take_is_refused() -> None:
    with pytest.raises(BundleError, match="crop: vgg11 does not take 8 pixels: "):
        architecture.outline(Architecture(name="vgg11"), classes=2, crop=8)


def test_a_tensor_of_the_wrong_shape_is_named_before_it_is_loaded(tmp_path: Path) -> None:
    stored(tmp_path, "squeezenet1_1", 5, **{"classifier.1.bias": torch.zeros(6)})
    with pytest.raises(
        BundleError, match=r"model\.safetensors: tensor classifier\.1\.bias: expected F32 \[5\], got F32 \[6\]"
    ):
        architecture.load(reading.read(tmp_path))


def test_half_precision_in_a_bundle_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, "squeezenet1_1", 5, **{"classifier.1.bias": torch.zeros(5).half()})
    with pytest.raises(BundleError, match=r"expected F32 \[5\], got F16 \[5\]"):
        architecture.load(reading.read(tmp_path))


def test_empty_parameters_take_no_memory_and_leave_arithmetic_alone() -> None:
    with architecture.EmptyParameters():
        layer = torch.nn.Linear(10**6, 10**6)
        widths = torch.arange(3).tolist()
    assert layer.weight.is_meta
    assert widths == [0, 1, 2]
