"""Answers as a hostile or broken host gives them, seen through a fetch."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serving.errors import FetchFailed, ServiceError, TooLarge
from tests.transformer.web import PHOTO, Script, answer, endless, fetch_answer, ok, raw
from transformer.fetch import FetchPolicy

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize(
    "response",
    [
        answer(PHOTO),
        answer(PHOTO, content_encoding="identity"),
        answer(PHOTO, content_type="text/html"),  # what it is, the decoder finds out
        CHUNKED + chunk(PHOTO[:100]) + chunk(PHOTO[100:]) + b"0\r\nTrailer: x\r\n\r\n",
        UNTIL_CLOSED + PHOTO,
        b"HTTP/1.0 200 OK\r\n\r\n" + PHOTO,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + answer(PHOTO),
    ],
)
async def test_the_body_comes_back_byte_for_byte(response: bytes) -> None:
    assert await fetch_answer(raw(response)) == PHOTO


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert await fetch_answer(ok(), FetchPolicy(max_bytes=len(PHOTO))) == PHOTO


async def test_a_large_photo_is_read_whole() -> None:
    body = PHOTO * 1000
    assert await fetch_answer(ok(body)) == body


@pytest.mark.parametrize(
    "response",
    [answer(PHOTO), CHUNKED + chunk(PHOTO) + chunk(b""), UNTIL_CLOSED + PHOTO, answer(content_length="9" * 20)],
)
async def test_a_body_over_the_limit_is_too_large(response: bytes) -> None:
    with pytest.raises(TooLarge, match=rf"^url: expected a photo of at most {len(PHOTO) - 1} bytes, got more$"):
        await fetch_answer(raw(response), FetchPolicy(max_bytes=len(PHOTO) - 1))


@pytest.mark.parametrize("start", [CHUNKED + chunk(PHOTO), UNTIL_CLOSED, answer(content_length="9999999")])
async def test_an_endless_body_ends_at_the_limit(start: bytes) -> None:
    piece = chunk(PHOTO) if start.startswith(CHUNKED) else PHOTO
    with pytest.raises(TooLarge):
        await fetch_answer(endless(start, piece), FetchPolicy(max_bytes=100_000))


async def test_a_stated_length_over_the_limit_is_refused_before_the_body_comes() -> None:
    drip = endless(answer(content_length="100001"), b"x", pause_seconds=0.01)
    with pytest.raises(TooLarge):
        await fetch_answer(drip, FetchPolicy(max_bytes=100_000))


@pytest.mark.parametrize("status", [201, 204, 206, 226, 300, 304, 400, 401, 404, 500, 503])
async def test_a_status_other_than_200_is_named(status: int) -> None:
    with pytest.raises(FetchFailed, match=rf"^url: expected status 200 from the host, got {status}$"):
        await fetch_answer(raw(answer(status=status)))


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "x"])
async def test_a_compressed_body_is_refused_unread(encoding: str) -> None:
    bomb = gzip.compress(bytes(1_000_000))
    with pytest.raises(FetchFailed, match=r"^url: expected a body without Content-Encoding"):
        await fetch_answer(ok(bomb, content_encoding=encoding))


async def test_a_second_content_encoding_is_seen() -> None:
    twice = answer(PHOTO, content_encoding="identity\r\nContent-Encoding: gzip")
    with pytest.raises(FetchFailed, match="without Content-Encoding"):
        await fetch_answer(raw(twice))


async def test_a_head_of_20_kb_is_read() -> None:
    assert await fetch_answer(ok(x="y" * 20_000)) == PHOTO


async def test_a_head_of_60_kb_is_refused() -> None:
    with pytest.raises(FetchFailed, match="broken"):
        await fetch_answer(ok(x="y" * 60_000))


@pytest.mark.parametrize("length", [len(PHOTO) - 1, 1, 0])
async def test_more_bytes_than_the_stated_length_are_an_error(length: int) -> None:
    with pytest.raises(FetchFailed, match=r"^url: expected as many bytes as the host's Content-Length states$"):
        await fetch_answer(ok(content_length=str(length)))


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200",
        answer(PHOTO, content_length=str(len(PHOTO) + 1)),  # cut off
        answer(content_length="1"),
        CHUNKED + chunk(PHOTO),  # no last chunk
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        answer(PHOTO, content_length="x"),
        answer(PHOTO, content_length="-1"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"<html>HTTP 0.9</html>",
        b"\x16\x03\x01\x00\x05hello",
    ],
)
async def test_a_broken_answer_is_a_failed_fetch(response: bytes) -> None:
    with pytest.raises(FetchFailed, match=r"^url: expected a complete HTTP answer, got a broken one$"):
        await fetch_answer(raw(response))


async def test_a_chunked_body_must_have_the_stated_length_too() -> None:
    both = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + chunk(b"abcd") + chunk(b"")
    with pytest.raises(FetchFailed, match="Content-Length"):
        await fetch_answer(raw(both))


HEADER_FLOOD = endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000)
HUGE_HEADER = endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 10_000)
INTERIM_FLOOD = endless(b"", b"HTTP/1.1 103 -\r\n\r\n" * 1000)
SMALL_CHUNKS = endless(CHUNKED, b"1\r\nx\r\n" * 1000)
CHUNK_EXTENSIONS = endless(CHUNKED, b"1;" + b"x" * 1000 + b"\r\nx\r\n")
TRAILERS = endless(CHUNKED + chunk(PHOTO) + b"0\r\n", b"x: y\r\n" * 1000)


@pytest.mark.parametrize(
    "flood",
    [HEADER_FLOOD, HUGE_HEADER, INTERIM_FLOOD, SMALL_CHUNKS, CHUNK_EXTENSIONS, TRAILERS],
    ids=["headers", "one header", "interim answers", "small chunks", "chunk extensions", "trailers"],
)
async def test_a_flood_around_the_photo_ends_early_and_leaves_the_event_loop_free(
    flood: Script,
) -> None:
    started = time.monotonic()
    async with longest_stall() as stalls:
        with pytest.raises(FetchFailed, match="broken"):
            await fetch_answer(flood)
    assert time.monotonic() - started < 2
    assert max(stalls, default=0) < 0.1


@asynccontextmanager
async def longest_stall() -> AsyncIterator[list[float]]:
    stalls: list[float] = []

    async def watch() -> None:
        while True:
            before = time.thread_time()  # not the wall clock: other processes may hold the processor
            await asyncio.sleep(0.001)
            stalls.append(time.thread_time() - before)

    watcher = asyncio.create_task(watch())
    yield stalls
    watcher.cancel()


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"x"),
        (answer(content_length="1000"), b"x"),
        (UNTIL_CLOSED, b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 103 -\r\n\r\n"),
    ],
    ids=["status line", "headers", "body", "body until closed", "chunks", "interim answers"],
)
async def test_a_host_that_drips_does_not_outlast_the_timeout(start: bytes, piece: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"^url: the photo did not arrive within 0.3 seconds$"):
        await fetch_answer(endless(start, piece, pause_seconds=0.02), FetchPolicy(timeout_seconds=0.3))
    assert time.monotonic() - began < 1


async def test_a_silent_host_does_not_outlast_the_timeout() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(FetchFailed, match="did not arrive within"):
        await fetch_answer(silent, FetchPolicy(timeout_seconds=0.2))


async def test_a_connection_reset_in_the_body_is_a_failed_fetch() -> None:
    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(PHOTO, content_length="9999"))
        await writer.drain()
        writer.transport.abort()

    with pytest.raises(ServiceError) as failure:
        await fetch_answer(reset)
    assert isinstance(failure.value, FetchFailed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_without_a_location_is_a_failed_fetch(status: int) -> None:
    with pytest.raises(FetchFailed, match=rf"^url: expected a Location with status {status}, got none$"):
        await fetch_answer(raw(answer(status=status)))
