"""Which engine, device and precision: one table for every bundle, machine and setting."""

from collections.abc import Mapping

import pytest

from bundle.reading import Bundle
from bundle.record import Graph
from bundle.record import Precision as GraphPrecision
from predictor.choice import Choice, Device, EngineName, Machine, choose, open_engine
from predictor.settings import PredictorSettings
from serving.process import StartError
from serving.settings import read
from tests.assets import needs_assets

FLOAT32 = Graph(model="openvino/float32.xml", weights="openvino/float32.bin")
INT8 = Graph(model="openvino/int8.xml", weights="openvino/int8.bin")
UNSEEN = Graph(model="openvino/int8.xml", weights="openvino/int8.bin", benchmark_only=True)

GRAPHS: Mapping[str, Mapping[GraphPrecision, Graph]] = {
    "none": {},
    "float32": {"float32": FLOAT32},
    "both": {"float32": FLOAT32, "int8": INT8},
    "unseen int8": {"float32": FLOAT32, "int8": UNSEEN},
    "int8 alone": {"int8": INT8},
}


class Imagined(Machine):
    """Has what its words say: `openvino`, `torch`, `driver`, `cuda`, `bfloat16`. Notes what was asked of torch."""

    def __init__(self, words: str) -> None:
        self.words = set(words.split())
        self.asked_torch = False

    def has(self, package: EngineName) -> bool:
        return package in self.words

    def has_gpu(self) -> bool:
        return "driver" in self.words

    def has_cuda(self) -> bool:
        self.asked_torch = True
        return "cuda" in self.words

    def has_native_bfloat16(self, device: Device) -> bool:
        return "bfloat16" in self.words


BARE = "openvino"
CPU = "openvino bfloat16"
DEVELOPER = "openvino torch bfloat16"
GPU = "openvino torch driver cuda bfloat16"
OLD_GPU = "openvino torch driver cuda"


def settings(flags: str) -> PredictorSettings:
    return read(PredictorSettings, ["--inference_threads=2", *(f"--{flag}" for flag in flags.split())])


@pytest.mark.parametrize(
    ("graphs", "flags", "machine", "expected"),
    [
        ("float32", "", CPU, "openvino in bfloat16 on cpu: the bundle has a graph; computed natively here"),
        ("float32", "", BARE, "openvino in float32 on cpu: the bundle has a graph; the best that is computed natively"),
        ("float32", "", DEVELOPER, "openvino in bfloat16 on cpu: the bundle has a graph"),
        ("float32", "", "torch bfloat16", "torch in float32 on cpu: openvino is not installed"),
        ("float32", "", GPU, "torch in bfloat16 on cuda: a GPU is here; computed natively here"),
        ("float32", "", OLD_GPU, "torch in float32 on cuda: a GPU is here"),
        ("float32", "", "openvino driver bfloat16", "openvino in bfloat16 on cpu"),
        ("float32", "", "openvino torch driver bfloat16", "openvino in bfloat16 on cpu"),
        ("float32", "model_device=cpu", GPU, "openvino in bfloat16 on cpu"),
        ("float32", "model_device=cuda", GPU, "torch in bfloat16 on cuda: MODEL_DEVICE asks for it"),
        ("float32", "model_device=cuda", "torch cuda bfloat16", "torch in bfloat16 on cuda: MODEL_DEVICE asks for it"),
        ("float32", "engine=openvino", GPU, "openvino in bfloat16 on cpu: ENGINE asks for it"),
        ("float32", "engine=torch", GPU, "torch in bfloat16 on cuda: a GPU is here"),
        ("float32", "engine=torch", DEVELOPER, "torch in float32 on cpu: ENGINE asks for it"),
        ("float32", "engine=torch model_device=cpu", GPU, "torch in float32 on cpu: ENGINE asks for it"),
        ("float32", "precision=float32", CPU, "openvino in float32 on cpu: the bundle has a graph; PRECISION asks"),
        ("float32", "precision=bfloat16", CPU, "openvino in bfloat16 on cpu: the bundle has a graph; PRECISION asks"),
        ("float32", "precision=float16", GPU, "torch in float16 on cuda: a GPU is here; PRECISION asks for it"),
        ("none", "", DEVELOPER, "torch in float32 on cpu: the bundle has no graph"),
        ("none", "", GPU, "torch in bfloat16 on cuda: a GPU is here"),
        ("both", "", CPU, "openvino in bfloat16 on cpu"),
        ("both", "precision=int8", CPU, "openvino in int8 on cpu: the bundle has a graph; PRECISION asks for it"),
        ("both", "precision=int8", BARE, "openvino in int8 on cpu"),
        ("both", "precision=int8", GPU, "openvino in int8 on cpu"),
        ("unseen int8", "", CPU, "openvino in bfloat16 on cpu"),
        ("unseen int8", "precision=int8 allow_benchmark_only=true", CPU, "openvino in int8 on cpu"),
        ("int8 alone", "precision=int8", CPU, "openvino in int8 on cpu"),
        ("float32", "inference_streams=2", CPU, "openvino in bfloat16 on cpu"),
        ("float32", "inference_streams=3", GPU, "torch in bfloat16 on cuda"),
    ],
)
def test_the_best_that_is_allowed_is_chosen(graphs: str, flags: str, machine: str, expected: str) -> None:
    assert str(choose(GRAPHS[graphs], settings(flags), Imagined(machine))).startswith(expected)


@pytest.mark.parametrize(
    ("graphs", "flags", "machine", "reason"),
    [
        ("none", "", CPU, "engine: expected a graph in the bundle for openvino, or torch installed, found neither"),
        ("float32", "", "", "engine: expected openvino or torch installed, found neither"),
        ("none", "engine=openvino", DEVELOPER, "engine: expected a graph in the bundle for openvino, found none"),
        ("float32", "engine=openvino", "torch", "engine: expected openvino installed"),
        ("float32", "engine=torch", CPU, "engine: expected torch installed"),
        ("float32", "model_device=cuda", CPU, "engine: expected torch installed"),
        ("float32", "model_device=cuda", DEVELOPER, "model_device: expected a GPU that torch can use, found none"),
        ("float32", "model_device=cuda engine=openvino", GPU, "engine: expected torch or auto with MODEL_DEVICE=cuda"),
        ("both", "model_device=cuda precision=int8", GPU, "precision: expected float32 or bfloat16 or float16 with"),
        ("float32", "precision=int8", CPU, "precision: expected a graph in int8 in the bundle, found float32"),
        ("int8 alone", "", CPU, "precision: expected a graph in float32 in the bundle, found int8"),
        ("float32", "precision=bfloat16", BARE, "precision: expected one that is computed natively here, got bfloat16"),
        ("float32", "precision=bfloat16", OLD_GPU, "precision: expected one that is computed natively here"),
        ("float32", "precision=float16", CPU, "precision: expected float32 or bfloat16 or int8 with openvino on cpu"),
        ("float32", "precision=bfloat16 engine=torch", DEVELOPER, "precision: expected float32 with torch on cpu, got"),
        ("unseen int8", "precision=int8", CPU, "the graph in int8 is for benchmarks only"),
        (
            "float32",
            "inference_streams=3",
            CPU,
            "inference_streams: expected at most 2, the threads of openvino, got 3",
        ),
        ("none", "inference_streams=2", DEVELOPER, "inference_streams: expected at most 1, torch on a CPU, got 2"),
        ("both", "precision=int8 inference_streams=2", CPU, "inference_streams: expected at most 1, in int8, got 2"),
    ],
)
def test_what_cannot_be_had_is_said(graphs: str, flags: str, machine: str, reason: str) -> None:
    with pytest.raises(StartError) as caught:
        choose(GRAPHS[graphs], settings(flags), Imagined(machine))
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("machine", [BARE, CPU, DEVELOPER])
def test_torch_is_not_imported_where_no_gpu_is_seen(machine: str) -> None:
    imagined = Imagined(machine)
    choose(GRAPHS["float32"], settings(""), imagined)
    assert not imagined.asked_torch


def test_this_machine_has_what_it_is_tested_with() -> None:
    machine = Machine()
    assert machine.has("openvino")
    assert machine.has("torch")


@needs_assets
@pytest.mark.parametrize("engine", ["openvino", "torch"])
@pytest.mark.parametrize(
    ("flags", "steps", "streams"),
    [("", (1, 2, 4), 1), ("max_batch_size=3", (1, 2, 3), 1), ("max_batch_size=1 inference_streams=1", (1,), 1)],
)
def test_what_is_chosen_is_opened_as_the_settings_say(
    squeezenet: Bundle, engine: EngineName, flags: str, steps: tuple[int, ...], streams: int
) -> None:
    opened = open_engine(Choice(engine, "cpu", "float32", ""), squeezenet, settings(flags))
    assert (opened.name, opened.device, opened.precision) == (engine, "cpu", "float32")
    assert (opened.steps, opened.streams) == (steps, streams)


@needs_assets
@pytest.mark.skipif(not Machine().has_native_bfloat16("cpu"), reason="no native bfloat16")
def test_batches_of_eight_are_run_where_that_gains_something(squeezenet: Bundle) -> None:
    opened = open_engine(Choice("openvino", "cpu", "bfloat16", ""), squeezenet, settings(""))
    assert opened.steps == (1, 2, 4, 8)
