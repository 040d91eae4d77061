"""What a request's Content-Encoding is taken for, and when an answer is compressed."""

import gzip
import zlib
from collections.abc import Callable, Iterable

import pytest
from fastapi import Request

from serving.compression import WORTHWHILE_BYTES, Inflater, deflated
from serving.errors import BadInput, UnsupportedMedia

LARGE = b"a" * WORTHWHILE_BYTES


def request(header: str, values: Iterable[str]) -> Request:
    return Request({"type": "http", "headers": [(header.encode(), value.encode()) for value in values]})


def inflated(content: bytes, *encodings: str) -> bytes:
    inflater = Inflater(request("content-encoding", encodings))
    plain = inflater.inflate(content, len(LARGE))
    inflater.check_complete()
    return plain


def coding(*accepted: str, content: bytes = LARGE) -> str:
    """The answer's Content-Encoding, empty where it is plain."""
    _, headers = deflated(request("accept-encoding", accepted), content)
    return headers.get("content-encoding", "")


@pytest.mark.parametrize(
    ("compress", "encodings"),
    [
        (bytes, []),
        (bytes, ["identity"]),
        (bytes, [""]),
        (gzip.compress, ["gzip"]),
        (gzip.compress, ["GZip "]),
        (gzip.compress, ["x-gzip"]),
        (gzip.compress, ["identity", "gzip"]),
        (zlib.compress, ["deflate"]),
    ],
)
def test_a_request_is_read(compress: Callable[[bytes], bytes], encodings: list[str]) -> None:
    assert inflated(compress(LARGE), *encodings) == LARGE


@pytest.mark.parametrize("encodings", [["br"], ["gzip", "br"], ["gzip", "gzip"], ["gzip, deflate"], ["gzip;q=1"]])
def test_another_encoding_or_two_are_refused(encodings: list[str]) -> None:
    with pytest.raises(UnsupportedMedia, match="content-encoding: expected gzip or deflate, got"):
        inflated(gzip.compress(LARGE), *encodings)


def test_deflate_without_zlibs_frame_is_refused() -> None:
    with pytest.raises(BadInput, match="body: expected deflate, got something else"):
        inflated(zlib.compress(LARGE)[2:-4], "deflate")


def test_gzip_of_several_members_is_refused() -> None:
    with pytest.raises(BadInput, match="expected one complete gzip stream, got part of one or more than one"):
        inflated(gzip.compress(LARGE) * 2, "gzip")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (["gzip"], "gzip"),
        (["GZIP;Q=0.5"], "gzip"),
        (["x-gzip"], "gzip"),
        (["deflate"], "deflate"),
        (["deflate, gzip"], "gzip"),
        (["br, gzip;q=0.2, deflate;q=0.8"], "deflate"),
        (["gzip;q=0, deflate"], "deflate"),
        (["gzip ; q=0", "deflate"], "deflate"),
        (["*"], "gzip"),
        (["gzip;q=0, *"], "deflate"),
        (["identity;q=0.5, gzip;q=0.5"], "gzip"),
        (["nonsense;;, gzip"], "gzip"),
    ],
)
def test_an_answer_is_compressed_as_its_client_wants_it_most(accepted: list[str], expected: str) -> None:
    assert coding(*accepted) == expected


@pytest.mark.parametrize(
    "accepted",
    [
        [],
        [""],
        ["identity"],
        ["br"],
        ["gzip;q=0"],
        ["gzip;q=0.000"],
        ["gzip;q=0, deflate;q=0"],
        ["*;q=0"],
        ["identity, gzip;q=0.5"],
        ["gzip;q=2"],
        ["notgzip"],
    ],
)
def test_an_answer_is_plain_when_compression_is_not_wanted(accepted: list[str]) -> None:
    assert coding(*accepted) == ""


def test_a_small_answer_is_plain() -> None:
    assert coding("gzip", content=LARGE[1:]) == ""


@pytest.mark.parametrize(("encoding", "plain"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)])
def test_a_compressed_answer_reads_back(encoding: str, plain: Callable[[bytes], bytes]) -> None:
    content, _ = deflated(request("accept-encoding", [encoding]), LARGE)
    assert plain(content) == LARGE
    assert len(content) < len(LARGE)


@pytest.mark.parametrize("content", [LARGE, b"small"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_caches_are_told_that_it_depends_on_the_client(content: bytes, accepted: str) -> None:
    _, headers = deflated(request("accept-encoding", [accepted]), content)
    assert headers["vary"] == "accept-encoding"
