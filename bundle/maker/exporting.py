"""A network as a graph of OpenVINO, which normalises, infers and turns logits into probabilities, all in float32."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from openvino import opset15 as operations
from openvino.frontend import OpConversionFailure
from torch import Tensor, nn

from bundle import architecture, reading
from bundle.errors import BundleError
from bundle.maker import calibration, writing
from bundle.record import Preset
from oip import contract

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]

TOLERANCE = 1e-4
"""How far a graph's probabilities may be from torch's, and its logits, in units of the largest one."""

_EXAMPLES = 2
"""Images in the batch that is traced: torch.export would take a single one for a constant."""

_CHECKED = 4


class Normalised(nn.Module):
    """The network behind the second half of its preprocessing: UINT8 `[N, crop, crop, 3]` to logits FP32."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, preset: Preset) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(preset.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(preset.std).reshape(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        planes = image.permute(0, 3, 1, 2).to(torch.float32) / 255
        logits: Tensor = self.network((planes - self.mean) / self.std)
        return logits


def add_graph(directory: Path) -> None:
    """Export the network of the bundle in `directory` into it; raises BundleError unless it answers as torch does."""
    bundle = reading.read(directory)
    preset = bundle.record.preprocessing
    network = Normalised(architecture.load(bundle), preset)
    graph = export(network, preset.crop)
    check(graph, network, calibration.synthetic_pixels(_CHECKED, preset.crop))
    writing.add_graph(directory, "float32", lambda path: save(graph, path))


def export(network: Normalised, crop: int) -> ov.Model:
    """The graph from `image` to `probabilities`, with any number of images; raises BundleError when there is none."""
    shape = (crop, crop, 3)
    example = torch.zeros(_EXAMPLES, *shape, dtype=torch.uint8)
    try:
        with torch.no_grad():
            batch = torch.export.Dim("batch")
            program = torch.export.export(network, (example,), dynamic_shapes=({0: batch},))
        graph = ov.convert_model(program)
    except (OpConversionFailure, RuntimeError, ValueError) as error:
        raise BundleError(
            f"graph: the network cannot be exported (--no-graph leaves it out): {_reason(error)}"
        ) from error
    graph.reshape([-1, *shape])
    return _with_softmax(graph)


def check(graph: ov.Model, network: Normalised, images: Images) -> None:
    """Refuse a graph whose answers are not those of the network."""
    with torch.inference_mode():
        expected = network(torch.from_numpy(images))
    _check_close("logits", answering(logits(graph))(images), expected, scale=float(expected.abs().max()))
    _check_close("probabilities", answering(graph)(images), expected.softmax(dim=1), scale=1)


def logits(graph: ov.Model) -> ov.Model:
    """The same graph without the softmax at its end."""
    copy = graph.clone()
    softmax = copy.output(0).get_node().input_value(0).get_node()
    return ov.Model([softmax.input_value(0)], copy.get_parameters(), copy.get_friendly_name())


def answering(graph: ov.Model) -> Callable[[Images], Floats]:
    """The graph on the CPU, computed in float32 where it is not quantised."""
    compiled = ov.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda images: np.array(compiled(images)[0])


def save(graph: ov.Model, path: Path) -> None:
    """Write the graph to `path` (.xml) and its weights beside it (.bin), uncompressed, the same for the same graph."""
    for number, node in enumerate(graph.get_ordered_ops()):  # names end in a counter of the process
        node.set_friendly_name(f"{node.get_type_name()}_{number}")
    graph.input(0).get_node().set_friendly_name(contract.INPUT)
    ov.save_model(graph, path, compress_to_fp16=False)


def _with_softmax(graph: ov.Model) -> ov.Model:
    probabilities = operations.softmax(graph.output(0).get_node().input_value(0), axis=1)
    probabilities.output(0).set_names({contract.OUTPUT})
    graph.input(0).set_names({contract.INPUT})
    return ov.Model([probabilities], graph.get_parameters(), "classifier")


def _reason(error: Exception) -> str:
    """One line: the first, but OpenVINO has a summary at the end that names what it cannot convert."""
    return str(error).rpartition("Summary:")[2].strip().partition("\n")[0]


def _check_close(name: str, given: Floats, expected: Tensor, scale: float) -> None:
    error = float(np.abs(given - expected.numpy()).max()) / scale
    if not error <= TOLERANCE:
        raise BundleError(f"graph: expected {name} within {TOLERANCE} of torch's, got {error:.2g}")
