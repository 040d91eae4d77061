from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bundle.errors import BundleError
from bundle.maker import calibration, exporting
from bundle.maker.exporting import Normalised
from bundle.record import Preset

CROP = 12
CLASSES = 6
PRESET = Preset(resize=16, crop=CROP, interpolation="bilinear", mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))


def small(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * (CROP - 2) ** 2, CLASSES)
    return nn.Sequential(*layers).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def graph() -> ov.Model:
    return exporting.export(Normalised(small(), PRESET), CROP)


def images(count: int) -> NDArray[np.uint8]:
    return calibration.synthetic_pixels(count, CROP, seed=count)


def by_torch(pixels: NDArray[np.uint8]) -> Tensor:
    """Normalised by the words of the preset, apart from the code under test."""
    planes = [(pixels[..., channel] / 255 - PRESET.mean[channel]) / PRESET.std[channel] for channel in range(3)]
    logits: Tensor = small()(torch.from_numpy(np.stack(planes, axis=1).astype(np.float32)))
    return logits


def test_a_graph_takes_pixels_and_gives_probabilities_under_the_names_of_the_contract(graph: ov.Model) -> None:
    (image,), (probabilities,) = graph.inputs, graph.outputs
    assert (image.names, probabilities.names) == ({"image"}, {"probabilities"})
    assert (image.element_type, probabilities.element_type) == (ov.Type.u8, ov.Type.f32)
    assert image.partial_shape == ov.PartialShape([-1, CROP, CROP, 3])
    assert probabilities.partial_shape == ov.PartialShape([-1, CLASSES])


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_graph_answers_as_torch_does_for_any_number_of_images(graph: ov.Model, count: int) -> None:
    pixels = images(count)
    expected = by_torch(pixels).softmax(dim=1).numpy()
    np.testing.assert_allclose(exporting.answering(graph)(pixels), expected, rtol=0, atol=1e-6)


def test_the_logits_stand_before_the_softmax(graph: ov.Model) -> None:
    pixels = images(3)
    answered = exporting.answering(exporting.logits(graph))(pixels)
    np.testing.assert_allclose(answered, by_torch(pixels).numpy(), rtol=0, atol=1e-5)
    assert graph.output(0).names == {"probabilities"}


def test_answers_outlive_the_next_ones(graph: ov.Model) -> None:
    answer = exporting.answering(graph)
    first = answer(images(1))
    kept = first.copy()
    answer(255 - images(1))
    np.testing.assert_array_equal(first, kept)


def test_the_weights_are_saved_in_float32(graph: ov.Model, tmp_path: Path) -> None:
    exporting.save(graph, tmp_path / "graph.xml")
    saved = ov.Core().read_model(tmp_path / "graph.xml")
    constants = [node for node in saved.get_ops() if node.get_type_name() == "Constant" and node.get_output_size() == 1]
    floats = [node for node in constants if node.get_element_type().is_real()]
    assert {node.get_element_type() for node in floats} == {ov.Type.f32}
    assert (tmp_path / "graph.bin").stat().st_size > 4 * 4 * (CROP - 2) ** 2 * CLASSES


def test_the_same_network_is_saved_as_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        exporting.save(exporting.export(Normalised(small(), PRESET), CROP), tmp_path / f"{name}.xml")
    for suffix in (".xml", ".bin"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_a_saved_graph_names_no_path_of_the_maker(graph: ov.Model, tmp_path: Path) -> None:
    exporting.save(graph, tmp_path / "graph.xml")
    text = (tmp_path / "graph.xml").read_text()
    assert str(tmp_path) not in text
    assert str(Path(__file__).resolve().parents[3]) not in text


def test_a_graph_that_answers_as_its_network_passes(graph: ov.Model) -> None:
    exporting.check(graph, Normalised(small(), PRESET), images(3))


def test_a_graph_of_other_weights_is_refused(graph: ov.Model) -> None:
    with pytest.raises(BundleError, match=r"^graph: expected logits within 0\.0001 of torch's, got "):
        exporting.check(graph, Normalised(small(seed=1), PRESET), images(3))


class Given(nn.Module):
    """A network of one function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, planes: Tensor) -> Tensor:
        return self.function(planes)


def unknown_operation(planes: Tensor) -> Tensor:
    return torch.polygamma(2, planes).flatten(1)


def two_images_only(planes: Tensor) -> Tensor:
    return planes.reshape(2, -1)


@pytest.mark.parametrize(
    ("function", "text"),
    [(unknown_operation, "No conversion rule found for operations: aten.polygamma"), (two_images_only, "batch")],
)
def test_a_network_that_cannot_be_exported_is_refused_in_one_line(
    function: Callable[[Tensor], Tensor], text: str
) -> None:
    with pytest.raises(BundleError, match=text) as refused:
        exporting.export(Normalised(Given(function), PRESET), CROP)
    assert str(refused.value).startswith("graph: the network cannot be exported (--no-graph leaves it out): ")
    assert "\n" not in str(refused.value)
