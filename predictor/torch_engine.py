"""torch: the reference on the CPU, and for CUDA. The only module here that imports torch."""

from queue import SimpleQueue
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bundle import architecture
from bundle.reading import Bundle
from bundle.record import Preset
from predictor.engine import Engine, Precision

DTYPES: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

_BFLOAT16_CAPABILITY = (8, 0)  # Ampere

_RUNS_BEFORE_CAPTURE = 3
"""In the first ones cuDNN chooses its algorithms and takes its workspace, which may not happen during a capture."""


def cuda_available() -> bool:
    return torch.cuda.is_available()


def native_bfloat16_on_cuda() -> bool:
    """Whether the GPU multiplies bfloat16 in hardware; older ones emulate it."""
    return torch.cuda.get_device_capability() >= _BFLOAT16_CAPABILITY


class Classifier(nn.Module):
    """From UINT8 `[N, crop, crop, 3]` to FP32 probabilities `[N, classes]`: all but the network in float32."""

    _mean: Tensor
    _std: Tensor

    def __init__(self, network: nn.Module, preset: Preset, dtype: torch.dtype) -> None:
        super().__init__()
        self._network = network.to(dtype=dtype)
        self._dtype = dtype
        self.register_buffer("_mean", torch.tensor(preset.mean).view(1, 3, 1, 1))
        self.register_buffer("_std", torch.tensor(preset.std).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        planes = (images.permute(0, 3, 1, 2).float() / 255 - self._mean) / self._std
        return torch.softmax(self._network(planes.to(self._dtype)).float(), dim=1)


class TorchEngine(Engine):
    """A torchvision classifier on the CPU; raises BundleError when the weights are not the architecture's."""

    name = "torch"
    precision: Precision = "float32"
    device = "cpu"

    def __init__(self, bundle: Bundle, steps: tuple[int, ...], threads: int) -> None:
        torch.set_num_threads(threads)
        self.steps, self._threads = steps, threads
        self._classifier = Classifier(architecture.load(bundle), bundle.record.preprocessing, torch.float32)

    @torch.inference_mode()
    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        # torch warns of arrays that it could write to although they are read-only, as those of a request are
        batch = torch.from_numpy(np.require(images, requirements="W"))
        probabilities: NDArray[np.float32] = self._classifier(batch).numpy()
        return probabilities

    def describe(self) -> dict[str, Any]:
        return _described(self) | {"threads": self._threads}


class CudaEngine(Engine):
    """A torchvision classifier on the first CUDA device, channels last, one CUDA graph for each step and stream.

    With two streams the images of one call are copied while those of the other are computed. Raises BundleError when
    the weights are not the architecture's.
    """

    name = "torch"
    device = "cuda"

    def __init__(self, bundle: Bundle, precision: Precision, steps: tuple[int, ...], streams: int) -> None:
        self.precision, self.steps, self.streams = precision, steps, streams
        # Shapes are few and fixed: the quickest algorithm is searched once for each. float32 is float32, not TF32.
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        preset, classes = bundle.record.preprocessing, bundle.record.classes
        classifier = Classifier(architecture.load(bundle), preset, DTYPES[precision])
        classifier = classifier.to("cuda").to(memory_format=torch.channels_last)
        self._lanes: SimpleQueue[_Lane] = SimpleQueue()
        for _ in range(streams):
            self._lanes.put(_Lane(classifier, steps, preset.crop, classes))

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        lane = self._lanes.get()
        try:
            return lane.run(images)
        finally:
            self._lanes.put(lane)

    def describe(self) -> dict[str, Any]:
        return _described(self) | {"gpu": torch.cuda.get_device_name()}


class _Lane:
    """What one call at a time uses: a CUDA stream, pinned memory on both ways, and a graph for each step.

    The graphs share one pool: they run one after another, and an answer is copied out before the next one starts.
    """

    @torch.inference_mode()
    def __init__(self, classifier: Classifier, steps: tuple[int, ...], crop: int, classes: int) -> None:
        self._classifier = classifier
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._pool = torch.cuda.graph_pool_handle()
        self._images = torch.zeros(steps[-1], crop, crop, 3, dtype=torch.uint8, device="cuda")
        self._pinned_images = torch.zeros(self._images.shape, dtype=torch.uint8, pin_memory=True)
        self._pinned_answer = torch.zeros(steps[-1], classes, pin_memory=True)
        self._stream.wait_stream(torch.cuda.current_stream())
        self._graphs = {step: self._captured(step) for step in reversed(steps)}  # the largest first sizes the pool

    def _captured(self, step: int) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        images = self._images[:step]
        with torch.cuda.stream(self._stream):
            for _ in range(_RUNS_BEFORE_CAPTURE):
                self._classifier(images)
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            answer = self._classifier(images)
        return graph, answer

    @torch.inference_mode()
    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        count = len(images)
        graph, answer = self._graphs[count]
        self._pinned_images[:count].numpy()[...] = images
        with torch.cuda.stream(self._stream):
            self._images[:count].copy_(self._pinned_images[:count], non_blocking=True)
            graph.replay()
            self._pinned_answer[:count].copy_(answer, non_blocking=True)
        self._stream.synchronize()
        return np.array(self._pinned_answer[:count].numpy())


def _described(engine: Engine) -> dict[str, Any]:
    return {
        "name": engine.name,
        "version": str(torch.__version__),
        "precision": engine.precision,
        "device": engine.device,
        "streams": engine.streams,
        "steps": list(engine.steps),
    }
