import hashlib
import socket
from pathlib import Path

import pytest

from bundle import architecture
from bundle.errors import BundleError, DownloadFailed
from bundle.maker import published
from bundle.maker.downloading import digest_prefix, download
from tests.bundle.maker.loopback import serving

CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"mnasnet0.5_top1_67.823-{DIGEST[:8]}.pth"


def test_a_file_with_the_right_digest_is_kept(tmp_path: Path) -> None:
    with serving(f"/models/{NAME}", CONTENT) as (address, _):
        path = download(f"{address}/models/{NAME}", tmp_path / "not" / "there", progress=False)
    assert path == tmp_path / "not" / "there" / NAME
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_progress_is_shown_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(f"/{NAME}", CONTENT) as (address, _):
        download(f"{address}/{NAME}", tmp_path)
    shown = capsys.readouterr()
    assert NAME in shown.err
    assert "100%" in shown.err
    assert "1.05M/1.05M" in shown.err
    assert shown.out == ""


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with serving(f"/{NAME}", CONTENT) as (address, asked):
        download(f"{address}/{NAME}", tmp_path, progress=False)
        download(f"{address}/{NAME}", tmp_path, progress=False)
    assert asked == [f"/{NAME}"]


def test_a_damaged_file_that_is_there_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT[1:])
    with serving(f"/{NAME}", CONTENT) as (address, _):
        assert download(f"{address}/{NAME}", tmp_path, progress=False).read_bytes() == CONTENT


def test_a_file_with_another_digest_is_refused_with_both(tmp_path: Path) -> None:
    with (
        serving("/net-0badf00d.pth", CONTENT) as (address, _),
        pytest.raises(
            BundleError, match=f"net-0badf00d.pth .*: expected a sha256 that starts with 0badf00d, got {DIGEST}"
        ),
    ):
        download(f"{address}/net-0badf00d.pth", tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_stops_early_is_refused(tmp_path: Path) -> None:
    stated = len(CONTENT) + 1
    with (
        serving(f"/{NAME}", CONTENT, stated_bytes=stated) as (address, _),
        pytest.raises(DownloadFailed, match=f"failed: expected {stated} bytes, got {len(CONTENT)}"),
    ):
        download(f"{address}/{NAME}", tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_server_has_not_is_said(tmp_path: Path) -> None:
    with (
        serving("/other", CONTENT) as (address, _),
        pytest.raises(BundleError, match=f"download of {address}/{NAME} failed: the server answered 404") as caught,
    ):
        download(f"{address}/{NAME}", tmp_path, progress=False)
    assert not isinstance(caught.value, DownloadFailed), "which would say that the network is away"
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DownloadFailed, match=f"download of {address}/{NAME} failed: .*refused"):
            download(f"{address}/{NAME}", tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_an_address_without_a_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"expected a file name such as NAME-SHA256PREFIX.pth, got 'weights.pth'"):
        download("http://127.0.0.1:9/weights.pth", tmp_path)


def test_everything_that_torchvision_publishes_states_its_digest() -> None:
    for name in architecture.names():
        for entry in published.CATALOGUE(name):
            assert len(digest_prefix(entry.url.rsplit("/", 1)[1])) >= 8
