"""Contenders answer as torchvision does, on the bundle's own weights."""

import io
import json
from pathlib import Path

import pytest
import torch
import torchvision
from PIL import Image
from torchvision.transforms._presets import ImageClassification

from benchmarks.answers import agrees, read
from benchmarks.contenders.compiled import Compiled
from benchmarks.contenders.eager import Eager
from benchmarks.contenders.floor import IN_FLIGHT, MODES, FloorOrder, run
from benchmarks.photos import jpeg
from tests.assets import PHOTOS, TOP_FIVE, WEIGHTS, needs_assets
from tests.bundles import make_bundle

PHOTO = jpeg(640, 480, 0)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained, but with the graph that our maker exports."""
    out = tmp_path_factory.mktemp("bundles") / "squeezenet1_1"
    return make_bundle(out, "--arch", "squeezenet1_1", "--weights", "untrained")


@needs_assets
def test_the_plain_way_answers_as_torchvision_documents(tmp_path: Path) -> None:
    arguments = ("--arch", "squeezenet1_1", "--weights", str(WEIGHTS), "--no-graph")
    plain = Eager(make_bundle(tmp_path / "squeezenet1_1", *arguments))
    for photo, expected in TOP_FIVE.items():
        best = read(json.dumps(plain((PHOTOS / photo).read_bytes())), photo)
        assert list(best) == list(expected)
        assert best == pytest.approx(expected, abs=1e-3)


def test_the_plain_way_is_torchvisions_network_behind_its_preset(bundle: Path) -> None:
    plain = Eager(bundle)
    network = torchvision.models.squeezenet1_1()
    network.load_state_dict(plain.model.state_dict())
    pixels = ImageClassification(crop_size=224, resize_size=256)(Image.open(io.BytesIO(PHOTO)))
    with torch.no_grad():
        expected = network.eval()(pixels[None]).softmax(1)[0].topk(5)
    best = read(json.dumps(plain(PHOTO)), "plain")
    assert list(best) == expected.indices.tolist()
    assert list(best.values()) == pytest.approx(expected.values.tolist(), rel=1e-5)


@pytest.mark.parametrize("size", [(640, 480), (333, 777), (224, 900)])
def test_the_compiled_graph_agrees_with_the_plain_way(bundle: Path, size: tuple[int, int]) -> None:
    photo = jpeg(*size, 1)
    compiled = Compiled(bundle, "float32")
    found = compiled.answer(compiled.probabilities(compiled.decode(photo)[None])[0])
    assert agrees(read(json.dumps(found), "compiled"), read(json.dumps(Eager(bundle)(photo)), "plain"), 1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_every_way_of_the_floor_answers_photo_by_photo(bundle: Path, tmp_path: Path, mode: str) -> None:
    photos = [jpeg(320, 240, seed) for seed in range(3)]
    paths = [tmp_path / f"{index}.jpg" for index in range(3)]
    for path, photo in zip(paths, photos, strict=True):
        path.write_bytes(photo)
    outcome = run(FloorOrder(str(bundle), "float32", mode, [str(path) for path in paths], 0.3, 0.1))
    plain = Eager(bundle)
    expected = [read(json.dumps(plain(photo)), "plain") for photo in photos]
    assert len(outcome.load.samples) >= 3
    assert all(agrees(read(each.body, mode), expected[each.photo], 1e-3) for each in outcome.load.samples)
    assert outcome.load.server_cpu_seconds > 0
    assert outcome.pss_bytes > 10e6


def test_overlapped_photos_are_under_way_as_from_a_closed_loop(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(PHOTO)
    order = FloorOrder(str(bundle), "float32", "overlapped", [str(tmp_path / "0.jpg")], 0.5, 0.2)
    load = run(order).load
    rate = len(load.samples) / load.seconds
    under_way = rate * sum(each.latency_seconds for each in load.samples) / len(load.samples)  # Little's law
    assert under_way == pytest.approx(IN_FLIGHT, rel=0.25)
