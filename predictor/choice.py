"""Which engine runs a bundle, on what and how precisely: the best that bundle, machine and settings allow, and why."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bundle.reading import Bundle
from bundle.record import Graph
from bundle.record import Precision as GraphPrecision
from predictor.engine import Engine, Precision, graph_of, steps_to
from predictor.settings import PredictorSettings
from serving.process import StartError

Graphs = Mapping[GraphPrecision, Graph]
EngineName = Literal["openvino", "torch"]
Device = Literal["cpu", "cuda"]

_GPU_NODES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))
"""NVIDIA's driver, that of WSL, that of AMD: without any of them torch finds no GPU, and need not be asked."""

_DEFAULT_STREAMS: Mapping[Device, int] = {"cpu": 1, "cuda": 2}
_DEFAULT_BATCH: Mapping[Device, int] = {"cpu": 8, "cuda": 128}
_DEFAULT_BATCH_FLOAT32 = 4
"""On a CPU, which gains nothing from more of them at once in float32."""


class Machine:
    """What this machine offers. A question is asked only when its answer matters, for some import a whole library."""

    def has(self, package: EngineName) -> bool:
        """Whether the package is installed; does not import it."""
        return importlib.util.find_spec(package) is not None

    def has_gpu(self) -> bool:
        """Whether there is a driver that torch could use; does not import it."""
        return any(node.exists() for node in _GPU_NODES)

    def has_cuda(self) -> bool:
        from predictor.torch_engine import cuda_available

        return cuda_available()

    def has_native_bfloat16(self, device: Device) -> bool:
        if device == "cuda":
            from predictor.torch_engine import native_bfloat16_on_cuda

            return native_bfloat16_on_cuda()
        from predictor.openvino_engine import native_bfloat16

        return native_bfloat16()


@dataclass(frozen=True, slots=True)
class Choice:
    """What runs; `reason` says why in a few words."""

    engine: EngineName
    device: Device
    precision: Precision
    reason: str

    def __str__(self) -> str:
        return f"{self.engine} in {self.precision} on {self.device}: {self.reason}"


def choose(graphs: Graphs, settings: PredictorSettings, machine: Machine) -> Choice:
    """The best of what is allowed; raises StartError that names what is missing when nothing is."""
    engine, device, why_here = _engine(graphs, settings, machine)
    precision, why_so = _precision(engine, device, settings, machine)
    if engine == "openvino":
        _check_graph(graphs, precision, settings.allow_benchmark_only)
    if device == "cpu":
        _check_streams(engine, precision, settings)
    return Choice(engine, device, precision, f"{why_here}; {why_so}")


def open_engine(choice: Choice, bundle: Bundle, settings: PredictorSettings) -> Engine:
    """The engine that was chosen, loaded; raises BundleError when the bundle is not what its record says."""
    streams = settings.inference_streams or _DEFAULT_STREAMS[choice.device]
    steps = steps_to(settings.max_batch_size or _default_batch(choice))
    if choice.engine == "openvino":
        from predictor.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(bundle, choice.precision, steps, settings.inference_threads, streams)
    from predictor.torch_engine import CudaEngine, TorchEngine

    if choice.device == "cuda":
        return CudaEngine(bundle, choice.precision, steps, streams)
    return TorchEngine(bundle, steps, settings.inference_threads)


def _default_batch(choice: Choice) -> int:
    slow = (choice.device, choice.precision) == ("cpu", "float32")
    return _DEFAULT_BATCH_FLOAT32 if slow else _DEFAULT_BATCH[choice.device]


def _engine(graphs: Graphs, settings: PredictorSettings, machine: Machine) -> tuple[EngineName, Device, str]:
    if settings.model_device == "cuda":
        return _cuda(settings, machine)
    if _gpu_found(settings, machine):
        return "torch", "cuda", "a GPU is here"
    if settings.engine == "openvino":
        return _openvino(graphs, machine)
    if settings.engine == "torch":
        return _torch(machine, "ENGINE asks for it")
    if graphs and machine.has("openvino"):
        return "openvino", "cpu", "the bundle has a graph"
    if machine.has("torch"):
        return _torch(machine, "openvino is not installed" if graphs else "the bundle has no graph")
    wanted = "openvino or torch installed" if graphs else "a graph in the bundle for openvino, or torch installed"
    raise StartError(f"engine: expected {wanted}, found neither")


def _gpu_found(settings: PredictorSettings, machine: Machine) -> bool:
    """int8 is openvino's alone, so whoever asks for it wants the CPU."""
    wanted = settings.model_device == "auto" and settings.engine != "openvino" and settings.precision != "int8"
    return wanted and machine.has_gpu() and machine.has("torch") and machine.has_cuda()


def _cuda(settings: PredictorSettings, machine: Machine) -> tuple[EngineName, Device, str]:
    if settings.engine == "openvino":
        raise StartError("engine: expected torch or auto with MODEL_DEVICE=cuda, got openvino, which runs on a CPU")
    _torch(machine, "")
    if not machine.has_cuda():
        raise StartError("model_device: expected a GPU that torch can use, found none")
    return "torch", "cuda", "MODEL_DEVICE asks for it"


def _openvino(graphs: Graphs, machine: Machine) -> tuple[EngineName, Device, str]:
    if not machine.has("openvino"):
        raise StartError("engine: expected openvino installed (the extra 'predictor'), found none")
    if not graphs:
        raise StartError("engine: expected a graph in the bundle for openvino, found none")
    return "openvino", "cpu", "ENGINE asks for it"


def _torch(machine: Machine, reason: str) -> tuple[EngineName, Device, str]:
    if not machine.has("torch"):
        raise StartError("engine: expected torch installed (the extra 'torch'), found none")
    return "torch", "cpu", reason


def _precision(
    engine: EngineName, device: Device, settings: PredictorSettings, machine: Machine
) -> tuple[Precision, str]:
    """Never int8 unless asked for: it passed its gate with some answers changed, and whoever serves should know."""
    wanted, possible = settings.precision, _POSSIBLE[engine, device]
    if wanted == "auto":
        if "bfloat16" in possible and machine.has_native_bfloat16(device):
            return "bfloat16", "computed natively here"
        return "float32", "the best that is computed natively here"
    if wanted not in possible:
        raise StartError(f"precision: expected {' or '.join(possible)} with {engine} on {device}, got {wanted}")
    if wanted == "bfloat16" and not machine.has_native_bfloat16(device):
        raise StartError("precision: expected one that is computed natively here, got bfloat16")
    return wanted, "PRECISION asks for it"


_POSSIBLE: Mapping[tuple[EngineName, Device], tuple[Precision, ...]] = {
    ("openvino", "cpu"): ("float32", "bfloat16", "int8"),
    ("torch", "cpu"): ("float32",),
    ("torch", "cuda"): ("float32", "bfloat16", "float16"),
}


def _check_graph(graphs: Graphs, precision: Precision, allow_benchmark_only: bool) -> None:
    name = graph_of(precision)
    if name not in graphs:
        raise StartError(f"precision: expected a graph in {name} in the bundle, found {', '.join(graphs)}")
    if graphs[name].benchmark_only and not allow_benchmark_only:
        raise StartError(
            f"the graph in {name} is for benchmarks only, it was never seen to agree with float32; "
            "ALLOW_BENCHMARK_ONLY=true serves it"
        )


def _check_streams(engine: EngineName, precision: Precision, settings: PredictorSettings) -> None:
    """In int8, OpenVINO 2026.4 answers nonsense when several streams of one dynamic graph take batches of several
    sizes.
    """
    most, where = 1, "torch on a CPU"
    if engine == "openvino":
        most, where = (1, "in int8") if precision == "int8" else (settings.inference_threads, "the threads of openvino")
    if (settings.inference_streams or 1) > most:
        raise StartError(f"inference_streams: expected at most {most}, {where}, got {settings.inference_streams}")
