"""OpenVINO on the CPU. The only module here that imports openvino.

One compiled model takes batches of any size and each stream has one infer request, so packed weights and buffers are
there once; why not one model a step, stands in docs/decisions/0007-one-dynamic-graph.md.
"""

import mmap
from collections import Counter
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from bundle.errors import BundleError, mismatch
from bundle.reading import Bundle
from predictor.engine import Engine, Precision, graph_of
from serving.cores import may_pin

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
"""What is not quantised in an int8 graph runs in float32, as it did when its agreement was measured."""

_EXECUTED: dict[str, Precision] = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i8": "int8", "u8": "int8"}
_COMPUTING_LAYERS = {"Convolution", "FullyConnected", "MatMul"}


def native_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16.

    The capability BF16 is no answer: OpenVINO states it of every CPU with AVX-512, and emulates where there are none.
    Its own default is bfloat16 just where the instructions are.
    """
    return bool(openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT") == openvino.Type.bf16)


class OpenVinoEngine(Engine):
    """A graph of a bundle. `threads` are those of all `streams` together.

    Raises BundleError when the graph is not what the record says, or is not computed in the precision asked for.
    """

    name = "openvino"
    device = "cpu"

    def __init__(
        self, bundle: Bundle, precision: Precision, steps: tuple[int, ...], threads: int, streams: int
    ) -> None:
        self.steps, self.streams = steps, streams
        self._threads = threads
        self.precision = precision
        self._graph = bundle.record.graphs[graph_of(precision)]
        model, weights = bundle.graph(graph_of(precision))
        with weights.open("rb") as file:
            self._weights = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # never written to, as openvino wants
        compiled = _compiled(model, self._weights, _options(precision, threads, streams))
        _check_shapes(compiled, bundle, model)
        _check_precision(compiled, precision, model)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for request in [compiled.create_infer_request() for _ in range(streams)]:
            self._requests.put(request)
        self._drop_weights(bundle.record.preprocessing.crop)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        # Read where they lie, for which openvino wants them writeable; it does not keep them alive, this frame does.
        images = np.require(images, requirements=["C", "W"])
        request = self._requests.get()
        try:
            request.set_input_tensor(openvino.Tensor(images, shared_memory=True))  # a shorter way than `infer(images)`
            request.infer()
            return np.array(request.get_output_tensor().data)  # a copy, for the request is used again
        finally:
            self._requests.put(request)

    def describe(self) -> dict[str, Any]:
        agreement = self._graph.agreement
        measured = {} if agreement is None else {"agreement": agreement.model_dump()}
        return measured | {
            "name": self.name,
            "version": openvino.__version__.partition("-")[0],
            "precision": self.precision,
            "device": self.device,
            "threads": self._threads,
            "streams": self.streams,
            "steps": list(self.steps),
            "benchmark_only": self._graph.benchmark_only,
        }

    def _drop_weights(self, crop: int) -> None:
        """Once an image was seen, OpenVINO has packed the weights its own way; what it still reads is mapped again."""
        for _ in range(self.streams):
            self.run(np.zeros((1, crop, crop, 3), np.uint8))
        self._weights.madvise(mmap.MADV_DONTNEED)


def _options(precision: Precision, threads: int, streams: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "ENABLE_CPU_PINNING": may_pin(threads),
    }


def _compiled(model: Path, weights: mmap.mmap, options: dict[str, Any]) -> Any:
    core = openvino.Core()
    shared = openvino.Tensor(np.frombuffer(weights, np.uint8), shared_memory=True)
    try:
        return core.compile_model(core.read_model(model.read_bytes(), shared), "CPU", options)
    except RuntimeError as error:
        raise BundleError(f"{model}: OpenVINO cannot compile it: {str(error).strip().splitlines()[-1]}") from error


def _check_shapes(compiled: Any, bundle: Bundle, model: Path) -> None:
    crop, classes = bundle.record.preprocessing.crop, bundle.record.classes
    expected = (f"[?,{crop},{crop},3] uint8", f"[?,{classes}] float32")
    given = tuple(
        f"{port.get_partial_shape()} {port.get_element_type().to_dtype()}"
        for port in compiled.inputs + compiled.outputs
    )
    if given != expected:
        raise mismatch(f"{model}: input and output", " to ".join(expected), " to ".join(given))


def _check_precision(compiled: Any, precision: Precision, model: Path) -> None:
    executed = executed_precision(compiled)
    if executed != precision:
        raise mismatch(f"{model}: precision", precision, f"{executed} from OpenVINO on this CPU")


def executed_precision(compiled: Any) -> str:
    """What most of the layers that multiply are computed in, as the compiled model itself tells."""
    told = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ops()]
    layers = Counter(
        str(info["runtimePrecision"].value) for info in told if info["layerType"].value in _COMPUTING_LAYERS
    )
    most = layers.most_common(1)[0][0] if layers else "none"
    return _EXECUTED.get(most, most)
