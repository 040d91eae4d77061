from pathlib import Path

import pytest
import torch

from bundle import reading
from bundle.errors import BundleError
from bundle.maker import writing
from bundle.maker.writing import Model
from bundle.record import Architecture, Preset
from tests.bundle import tiny

MODEL = Model(
    architecture=Architecture(name="maxvit_t", options={"input_size": (256, 256)}),
    preset=Preset(resize=256, crop=256, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    tensors={"fc.weight": torch.ones(3, 2), "fc.bias": torch.zeros(3)},
    labels=("one", "two", "čačkalica"),
    version="sha256-0123456789ab",
    licence="MIT",
    origin="net.pth",
)


def put(out: Path) -> None:
    with writing.staging(out) as directory:
        writing.write(MODEL, directory)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    put(tmp_path / "not" / "there" / "bundle")
    bundle = reading.read(tmp_path / "not" / "there" / "bundle")
    record = bundle.record
    assert bundle.labels == MODEL.labels
    assert (record.architecture, record.preprocessing, record.classes) == (MODEL.architecture, MODEL.preset, 3)
    assert (record.version, record.trained, record.licence, record.origin) == (MODEL.version, True, "MIT", "net.pth")
    assert reading.tensor_shapes(bundle.weights).keys() == MODEL.tensors.keys()


def test_every_file_of_a_bundle_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    put(tmp_path / "bundle")
    expected = (tmp_path / "new").stat().st_mode
    assert {path.stat().st_mode for path in (tmp_path / "bundle").iterdir()} == {expected}


class HalfWay(Exception):
    pass


def stop_half_way(out: Path) -> None:
    with writing.staging(out) as directory:
        writing.write(MODEL, directory)
        raise HalfWay


def test_a_bundle_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HalfWay):
        stop_half_way(tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_former_bundle_as_it_was(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    with pytest.raises(HalfWay):
        stop_half_way(tmp_path / "bundle")
    assert reading.read(tmp_path / "bundle").labels == tiny.LABELS
    assert list(tmp_path.iterdir()) == [tmp_path / "bundle"]


@pytest.mark.parametrize("empty", [True, False])
def test_what_stood_there_is_replaced_whole(tmp_path: Path, empty: bool) -> None:
    if empty:
        (tmp_path / "bundle").mkdir()
    else:
        tiny.write(tmp_path / "bundle")
    put(tmp_path / "bundle")
    assert reading.read(tmp_path / "bundle").labels == MODEL.labels
    assert list(tmp_path.iterdir()) == [tmp_path / "bundle"]


def test_a_bundle_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    tiny.write(tmp_path / "bundle")
    (tmp_path / "link").symlink_to("bundle")
    put(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert reading.read(tmp_path / "bundle").labels == MODEL.labels


def test_a_version_that_could_not_be_served_is_refused(tmp_path: Path) -> None:
    faulty = Model(**(vars(MODEL) | {"version": "a version"}))
    with pytest.raises(BundleError, match=r"model\.json: version: .*, got 'a version'"):
        writing.write(faulty, tmp_path)


def test_a_free_destination_is_accepted(tmp_path: Path) -> None:
    writing.check_destination(tmp_path / "bundle", force=False)
    (tmp_path / "bundle").mkdir()
    writing.check_destination(tmp_path / "bundle", force=False)


def test_a_bundle_is_replaced_only_by_force(directory: Path) -> None:
    with pytest.raises(BundleError, match=f"{directory}: exists"):
        writing.check_destination(directory, force=False)
    writing.check_destination(directory, force=True)


@pytest.mark.parametrize("force", [True, False])
def test_what_is_no_bundle_is_never_replaced(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.txt").touch()
    for out in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(BundleError, match=f"{out}: exists and is not a bundle"):
            writing.check_destination(out, force=force)


@pytest.mark.parametrize("stranger", ["thesis.txt", "more/thesis.txt"])
def test_a_bundle_with_something_else_in_it_is_never_replaced(directory: Path, stranger: str) -> None:
    (directory / stranger).parent.mkdir(exist_ok=True)
    (directory / stranger).touch()
    with pytest.raises(BundleError, match=f"holds {stranger}, which is no part of its bundle"):
        writing.check_destination(directory, force=True)
