import hashlib
from pathlib import Path

import pytest

from scripts.downloads import Downloads, Source
from scripts.errors import RunError
from tests.scripts.deployment.ingress import Ingress, ingress

TEXT = "kind: Namespace\n"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()


def listing(directory: Path, *lines: str) -> Path:
    path = directory / "checksums.txt"
    path.write_text("\n".join(["# a comment", *lines, ""]))
    return path


def source(front: Ingress, name: str = "a.yaml") -> Source:
    return Source(name, f"{front.address}/{name}")


def test_a_listed_file_is_downloaded_once(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path / "kept", listing(tmp_path, f"{DIGEST}  a.yaml"))
    with ingress((200, TEXT)) as front:
        for _ in range(2):
            (path,) = downloads.fetch([source(front)])
            assert path.read_text() == TEXT
    assert [asked.line for asked in front.asked] == ["GET /a.yaml"]


def test_a_kept_file_that_was_changed_is_downloaded_again(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, listing(tmp_path, f"{DIGEST}  a.yaml"))
    (tmp_path / "a.yaml").write_text("kind: Evil\n")
    with ingress((200, TEXT)) as front:
        (path,) = downloads.fetch([source(front)])
    assert path.read_text() == TEXT


def test_a_file_with_another_checksum_is_refused_and_not_kept(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, listing(tmp_path, f"{'0' * 64}  a.yaml"), trusting=True)
    with ingress((200, TEXT)) as front, pytest.raises(RunError) as caught:
        downloads.fetch([source(front)])
    assert str(caught.value) == f"a.yaml: expected SHA-256 {'0' * 64}, found {DIGEST}: {front.address}/a.yaml"
    assert not (tmp_path / "a.yaml").exists()


def test_files_that_are_not_listed_are_refused_before_anything_is_downloaded(tmp_path: Path) -> None:
    listed = listing(tmp_path, f"{DIGEST}  b.yaml")
    with ingress((200, TEXT)) as front, pytest.raises(RunError) as caught:
        Downloads(tmp_path, listed).fetch([source(front, name) for name in ("a.yaml", "b.yaml", "c.yaml")])
    lines = str(caught.value).splitlines()
    assert [line.partition(", found none: --trust-first-download")[0] for line in lines] == [
        f"a.yaml: expected its SHA-256 in {listed}",
        f"c.yaml: expected its SHA-256 in {listed}",
    ]
    assert front.asked == []


def test_a_first_download_is_trusted_when_asked_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = listing(tmp_path)
    with ingress((200, TEXT)) as front:
        Downloads(tmp_path, listed, trusting=True).fetch([source(front)])
        assert listed.read_text() == f"# a comment\n{DIGEST}  a.yaml\n"
        Downloads(tmp_path, listed).fetch([source(front)])
    assert capsys.readouterr().out.startswith("trusted a.yaml: ")


@pytest.mark.parametrize("status", [404, 503])
def test_a_file_that_is_away_is_told(tmp_path: Path, status: int) -> None:
    with (
        ingress((status, "away")) as front,
        pytest.raises(RunError, match=rf"^a.yaml: expected .*, got status {status}$"),
    ):
        Downloads(tmp_path, listing(tmp_path, f"{DIGEST}  a.yaml")).fetch([source(front)])


def test_a_host_that_is_away_is_told(tmp_path: Path) -> None:
    unreachable = Source("a.yaml", "http://127.0.0.1:9/a.yaml")
    with pytest.raises(RunError, match=r"^a.yaml: expected http://127.0.0.1:9/a.yaml, got no answer: "):
        Downloads(tmp_path, listing(tmp_path, f"{DIGEST}  a.yaml")).fetch([unreachable])
