"""OpenVINO answers as torch does, in every precision and step, and leaves other threads free."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from benchmarks.variants import Images
from bundle.errors import BundleError
from bundle.maker import exporting
from bundle.reading import Bundle
from bundle.record import Agreement, Graph
from predictor.engine import Precision, steps_to
from predictor.ladder import Ladder
from predictor.openvino_engine import OpenVinoEngine, native_bfloat16
from predictor.torch_engine import TorchEngine
from tests.assets import needs_assets
from tests.predictor.crops import photos, variants

pytestmark = needs_assets

FLOATS: tuple[Precision, ...] = ("float32", "bfloat16") if native_bfloat16() else ("float32",)
PRECISIONS: tuple[Precision, ...] = (*FLOATS, "int8")
TOLERANCES: Mapping[Precision, float] = {"float32": 1e-5, "bfloat16": 1e-2, "int8": 1e-5}
"""What is added up in another order, in another step, is rounded otherwise; integers are not."""

STEPS = steps_to(8)

Opened = Callable[[Precision], OpenVinoEngine]


@pytest.fixture(scope="module")
def opened(squeezenet: Bundle) -> Opened:
    """Engines with two streams where there may be two, each loaded once."""

    def opened(precision: Precision) -> OpenVinoEngine:
        return OpenVinoEngine(squeezenet, precision, STEPS, threads=2, streams=1 if precision == "int8" else 2)

    return cache(opened)


@pytest.fixture(scope="module")
def engine(opened: Opened) -> OpenVinoEngine:
    return opened("float32")


@pytest.fixture(scope="module")
def reference(squeezenet: Bundle) -> TorchEngine:
    return TorchEngine(
        squeezenet, STEPS, threads=1
    )  # two engines with a thread on every core stand in each other's way


def one_by_one(engine: OpenVinoEngine, images: Images) -> NDArray[np.float32]:
    return np.concatenate([engine.run(image[None]) for image in images])


def test_float32_answers_as_torch_does(engine: OpenVinoEngine, reference: TorchEngine) -> None:
    images = np.concatenate((photos(), variants(5)))
    np.testing.assert_allclose(engine.run(images), reference.run(images), atol=1e-4)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_answers_as_single_images_do(opened: Opened, precision: Precision, step: int) -> None:
    images = variants(step)
    engine = opened(precision)
    assert_same(engine.run(images), one_by_one(engine, images), precision)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_padded_steps_answer_as_single_images_do(opened: Opened, precision: Precision) -> None:
    engine = opened(precision)
    ladder = Ladder(engine, 224, clock_ns=lambda: 0)  # no step costs anything: fewest runs, padded
    ladder.warm_up()
    images = variants(STEPS[-1])
    expected = one_by_one(engine, images)
    for count in range(1, len(images) + 1):
        assert len(ladder.cover(count)) == 1
        assert_same(ladder.infer(images[:count]), expected[:count], precision)


def assert_same(given: NDArray[np.float32], expected: NDArray[np.float32], precision: Precision) -> None:
    tolerance = TOLERANCES[precision]
    np.testing.assert_allclose(given, expected, rtol=tolerance, atol=tolerance * 1e-2)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_an_engine_computes_in_the_precision_that_it_tells(opened: Opened, precision: Precision) -> None:
    assert opened(precision).describe()["precision"] == precision


def test_int8_answers_near_float32(opened: Opened) -> None:
    images = photos()
    exact, rough = opened("float32").run(images), opened("int8").run(images)
    assert not np.array_equal(exact, rough)
    assert (exact.argmax(axis=1) == rough.argmax(axis=1)).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_probabilities_add_up(opened: Opened, precision: Precision) -> None:
    probabilities = opened(precision).run(variants(4))
    assert probabilities.dtype == np.dtype("float32")
    assert probabilities.shape == (4, 1000)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif("bfloat16" not in FLOATS, reason="no native bfloat16")
def test_bfloat16_agrees_with_float32_on_photos_and_500_variants(opened: Opened, squeezenet: Bundle) -> None:
    images = np.concatenate((photos(), variants(501)))
    exact, rough = (in_batches(opened(precision).run, images) for precision in FLOATS)
    best = np.sort(exact, axis=1)[:, ::-1]
    clear = best[:, 0] - best[:, 1] > 0.05
    assert clear.sum() >= 200
    assert (exact.argmax(axis=1) == rough.argmax(axis=1))[clear].all()
    exact, rough = (in_batches(logits(squeezenet, hint), images) for hint in ("f32", "bf16"))
    assert cosine(exact, rough).min() >= 0.9999


def in_batches(run: Callable[[Images], NDArray[np.float32]], images: Images) -> NDArray[np.float32]:
    return np.concatenate([run(images[start : start + 8]) for start in range(0, len(images), 8)])


def logits(bundle: Bundle, hint: str) -> Callable[[Images], NDArray[np.float32]]:
    """The bundle's graph without the softmax at its end."""
    core = openvino.Core()
    graph = exporting.logits(core.read_model(bundle.graph("float32")[0]))
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": hint})
    return lambda images: np.array(compiled([images])[0])


def cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    result: NDArray[np.float32] = (left * right).sum(axis=1) / lengths
    return result


def test_images_that_cannot_be_written_to_are_taken(engine: OpenVinoEngine) -> None:
    images = photos()[:1].copy()
    expected = engine.run(images)
    images.setflags(write=False)
    assert np.array_equal(engine.run(images), expected)


def test_an_answer_stays_when_the_next_one_is_computed(opened: Opened, squeezenet: Bundle) -> None:
    engine = OpenVinoEngine(squeezenet, "float32", (1,), threads=1, streams=1)
    first = engine.run(photos()[:1])
    kept = first.copy()
    engine.run(photos()[1:2])
    assert np.array_equal(first, kept)


def test_callers_side_by_side_each_get_their_own_answer(engine: OpenVinoEngine) -> None:
    images = variants(40)
    expected = one_by_one(engine, images)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda image: engine.run(image[None]), images))
    np.testing.assert_allclose(np.concatenate(answers), expected, rtol=1e-5)


@pytest.fixture
def unhurried() -> Iterator[None]:
    """Python takes the GIL from no thread that keeps it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("unhurried")
def test_other_threads_run_while_it_computes(engine: OpenVinoEngine) -> None:
    counted, ended, images = [0], threading.Event(), variants(8)

    def count() -> None:
        while not ended.is_set():
            counted[0] += 1
            time.sleep(0)

    counting = threading.Thread(target=count)
    counting.start()
    before = counted[0]
    for _ in range(10):
        engine.run(images)
    during = counted[0] - before
    ended.set()
    counting.join()
    assert during > 10


def test_it_tells_what_it_is(engine: OpenVinoEngine) -> None:
    told = engine.describe()
    version = told.pop("version")
    assert version[:2] == "20"
    assert told == {
        "name": "openvino",
        "precision": "float32",
        "device": "cpu",
        "threads": 2,
        "streams": 2,
        "steps": [1, 2, 4, 8],
        "benchmark_only": False,
    }


def test_the_agreement_of_a_graph_is_told(squeezenet: Bundle) -> None:
    agreement = Agreement(photos=250, counted=200, margin=0.05, top1=0.995, top5=0.97, cosine=0.999)
    graph = squeezenet.record.graphs["float32"].model_copy(update={"agreement": agreement, "benchmark_only": True})
    told = OpenVinoEngine(with_graph(squeezenet, graph), "float32", (1,), threads=1, streams=1).describe()
    assert told["agreement"] == {
        "photos": 250,
        "counted": 200,
        "margin": 0.05,
        "top1": 0.995,
        "top5": 0.97,
        "cosine": 0.999,
    }
    assert told["benchmark_only"]


def with_graph(bundle: Bundle, graph: Graph) -> Bundle:
    return replace(bundle, record=bundle.record.model_copy(update={"graphs": {"float32": graph, "int8": graph}}))


def test_a_graph_that_is_computed_in_another_precision_is_refused(squeezenet: Bundle) -> None:
    mislabelled = with_graph(squeezenet, squeezenet.record.graphs["float32"])
    with pytest.raises(BundleError, match=r"float32\.xml: precision: expected int8, got float32 from OpenVINO"):
        OpenVinoEngine(mislabelled, "int8", (1,), threads=1, streams=1)


@pytest.mark.parametrize("stated", [{"classes": 10}, {"crop": 192}])
def test_a_graph_of_another_shape_than_the_record_says_is_refused(squeezenet: Bundle, stated: dict[str, int]) -> None:
    preprocessing = squeezenet.record.preprocessing.model_copy(update=stated)
    record = squeezenet.record.model_copy(update={"preprocessing": preprocessing, **stated})
    with pytest.raises(BundleError, match=r"input and output: expected \[\?,\d+,\d+,3\] uint8 to \[\?,\d+\] float32"):
        OpenVinoEngine(replace(squeezenet, record=record), "float32", (1,), threads=1, streams=1)


def test_a_file_that_is_no_graph_is_refused(squeezenet: Bundle, tmp_path: Path) -> None:
    directory = tmp_path / "broken"
    shutil.copytree(squeezenet.directory, directory)
    (directory / squeezenet.record.graphs["float32"].model).write_text("<net/>")
    with pytest.raises(BundleError, match=r"float32\.xml: OpenVINO cannot compile it"):
        OpenVinoEngine(replace(squeezenet, directory=directory), "float32", (1,), threads=1, streams=1)


LOAD_AND_RUN = """
import json, sys
from pathlib import Path
connected = []
sys.addaudithook(lambda event, args: connected.append(event) if event.startswith("socket.") else None)
from predictor.openvino_engine import OpenVinoEngine
import numpy as np
from bundle.reading import read
engine = OpenVinoEngine(read(Path(sys.argv[1])), "float32", (1,), 1, 1)
engine.run(np.zeros((1, 224, 224, 3), np.uint8))
mapped = [line for line in Path("/proc/self/smaps").read_text().split("VmFlags") if "float32.bin" in line]
resident = [int(line.split()[1]) for part in mapped for line in part.splitlines() if line.startswith("Rss:")]
telemetry = [name for name, module in sys.modules.items() if module and name.startswith("openvino_telemetry")]
seen = {"connected": connected, "telemetry": telemetry, "mapped": len(mapped), "resident_kib": sum(resident)}
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def process(squeezenet: Bundle) -> dict[str, Any]:
    """What a process of its own saw that loaded an engine and ran it."""
    command = [sys.executable, "-c", LOAD_AND_RUN, str(squeezenet.directory)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen


def test_no_usage_data_is_sent(process: dict[str, Any]) -> None:
    assert process["telemetry"] == []
    assert process["connected"] == []


def test_the_weights_as_they_lie_in_the_bundle_take_no_memory(process: dict[str, Any], squeezenet: Bundle) -> None:
    assert process["mapped"] == 1
    size = squeezenet.record.files[squeezenet.record.graphs["float32"].weights].size_bytes
    assert process["resident_kib"] * 1024 < size / 4
