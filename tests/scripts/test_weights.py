import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.errors import RunError
from scripts.weights import NO_NETWORK, choose

PUBLISHED = "resnet50 resnet50 None"
UNTRAINED = "resnet50 resnet50-untrained untrained"


@dataclass(frozen=True)
class Maker:
    """A stand-in for the maker of bundles; 0 as exit code means that it makes one."""

    directory: Path
    code: int = 0
    untrained_code: int = 0

    async def choose(self, model_dir: Path | None = None) -> Path:
        calls = self.directory / "calls.txt"
        command = (
            sys.executable,
            "-m",
            "tests.scripts.fake_maker",
            str(calls),
            str(self.code),
            str(self.untrained_code),
        )
        return await choose(model_dir, self.directory / "bundles", command)

    @property
    def calls(self) -> list[str]:
        calls = self.directory / "calls.txt"
        return calls.read_text().splitlines() if calls.exists() else []


def bundle(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "model.json").write_text("{}")
    return directory


async def test_a_named_bundle_is_served_and_none_is_made(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    assert await maker.choose(bundle(tmp_path / "mine")) == tmp_path / "mine"
    assert maker.calls == []


@pytest.mark.parametrize("name", ["gone", "empty"])
async def test_a_name_without_a_bundle_is_refused_and_none_is_made(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    maker = Maker(tmp_path)
    with pytest.raises(
        RunError, match=rf"^MODEL_DIR: expected a bundle \(a directory with model\.json\), got .*{name}$"
    ):
        await maker.choose(tmp_path / name)
    assert maker.calls == []


async def test_the_published_weights_are_made_once(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    assert await maker.choose() == tmp_path / "bundles" / "resnet50"
    assert await maker.choose() == tmp_path / "bundles" / "resnet50"
    assert maker.calls == [PUBLISHED]


async def test_without_network_an_untrained_bundle_is_made_and_said_loudly(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    maker = Maker(tmp_path, code=NO_NETWORK)
    assert await maker.choose() == tmp_path / "bundles" / "resnet50-untrained"
    assert maker.calls == [PUBLISHED, UNTRAINED]
    reason, warning = capfd.readouterr().err.split("\n", maxsplit=1)
    assert reason == "download failed: no route to host"
    assert "UNTRAINED MODEL" in warning


async def test_an_untrained_bundle_that_is_there_is_used_again_as_loudly(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    untrained = bundle(tmp_path / "bundles" / "resnet50-untrained")
    maker = Maker(tmp_path, code=NO_NETWORK)
    assert await maker.choose() == untrained
    assert maker.calls == [PUBLISHED]
    assert "UNTRAINED MODEL" in capfd.readouterr().err


async def test_an_untrained_bundle_is_left_alone_once_the_network_is_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle(tmp_path / "bundles" / "resnet50-untrained")
    assert await Maker(tmp_path).choose() == tmp_path / "bundles" / "resnet50"
    assert capfd.readouterr().err == ""


async def test_any_other_failure_is_an_error_and_no_untrained_bundle_is_made(tmp_path: Path) -> None:
    maker = Maker(tmp_path, code=1)
    with pytest.raises(RunError, match=r"^no bundle was made in .*resnet50 \(exit code 1\)"):
        await maker.choose()
    assert maker.calls == [PUBLISHED]


async def test_a_failure_to_make_the_untrained_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^no bundle was made in .*resnet50-untrained \(exit code 1\)"):
        await Maker(tmp_path, code=NO_NETWORK, untrained_code=1).choose()
