"""The gRPC port: what it packs, what it unpacks, and how much of it."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.e2e.grpc_wire import ENCODING, Relay, packed_as, relaying
from tests.e2e.processes import Process
from tests.serving.talker import SERVICE, Talking, channel, talking, text_of, wanting, words

INFER = f"/{SERVICE}/ModelInfer"
PREFACE = b"PRI * HTTP/2.0"
"""What a client says first on every new connection (RFC 9113, section 3.4)."""
MIB = 1024 * 1024
MANY, FEW = 1000, 50
"""Words of an answer of more than 1 KiB, and of one of less."""


@pytest.fixture
async def talker() -> AsyncIterator[Talking]:
    async with talking() as served:
        yield served


@pytest.fixture
async def packing() -> AsyncIterator[Talking]:
    async with talking(grpc_compression=True) as served:
        yield served


async def infer(address: str, content: bytes, accepted: int | None = None, **options: Any) -> bytes:
    async with channel(address, accepted) as opened:
        answer: bytes = await opened.unary_unary(INFER)(content, timeout=20, **options)
        return answer


async def overheard(served: Talking, count: int, accepted: int | None = None) -> Relay:
    """The wire after an answer of that many words, which has come through whole."""
    with relaying(served.address) as relay:
        assert text_of(await infer(relay.address, wanting(count), accepted)) == words(count)
        return relay


async def test_answers_are_plain_unless_the_server_is_told_to_compress(talker: Talking) -> None:
    relay = await overheard(talker, MANY)
    assert words(MANY)[:1000] in relay.answered
    assert ENCODING not in relay.answered


@pytest.mark.parametrize(("accepted", "algorithm"), [(None, "gzip"), (7, "gzip"), (5, "gzip"), (3, "deflate")], ids=str)
async def test_an_answer_is_compressed_as_its_client_accepts_it(
    packing: Talking, accepted: int | None, algorithm: str
) -> None:
    relay = await overheard(packing, MANY, accepted)
    assert packed_as(algorithm) in relay.answered
    assert len(relay.answered) < len(words(MANY)) / 2


async def test_a_client_that_accepts_no_compression_gets_none(packing: Talking) -> None:
    assert words(MANY)[:1000] in (await overheard(packing, MANY, accepted=1)).answered


async def test_an_answer_that_would_gain_nothing_is_not_compressed(packing: Talking) -> None:
    assert words(FEW) in (await overheard(packing, FEW)).answered


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_compressed_request_is_read(talker: Talking, compression: grpc.Compression) -> None:
    content = wanting(FEW, size=100_000)
    with relaying(talker.address) as relay:
        assert text_of(await infer(relay.address, content, compression=compression)) == words(FEW)
        assert len(relay.asked) < len(content) / 10


async def test_a_request_over_the_limit_is_refused_and_its_neighbours_are_answered() -> None:
    async with talking(max_request_size=10_000) as served:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await infer(served.address, wanting(size=10_000))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await infer(served.address, wanting(size=9_000))


async def test_an_answer_may_be_longer_than_a_request() -> None:
    async with talking(max_request_size=10_000) as served:
        assert text_of(await infer(served.address, wanting(5_000))) == words(5_000)


async def test_a_request_over_the_places_is_unavailable_while_probes_are_answered() -> None:
    async with talking(max_in_flight=1) as served, channel(served.address) as opened:
        first = opened.unary_unary(INFER)(wanting(seconds="1"), timeout=20)
        await served.model.asked.wait()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await infer(served.address, wanting())
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert dict(caught.value.trailing_metadata() or ())["error-code"] == "overloaded"
        await opened.unary_unary(f"/{SERVICE}/ServerReady")(b"", timeout=20)
        assert await first


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A port in a process of its own, whose memory is not ours."""
    sleeper = Process("tests.serving.sleeper", {"MODEL_NAME": "talker"}, tmp_path / "log")
    yield sleeper.start().until()
    sleeper.end()


def peak_mib(process: Process) -> int:
    """The most memory that it has ever held: VmHWM, of proc_pid_status(5)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_message_that_would_grow_over_the_limit_is_refused_before_it_has(
    process: Process, compression: grpc.Compression
) -> None:
    before = peak_mib(process)
    with relaying(process.grpc) as relay, pytest.raises(grpc.aio.AioRpcError) as caught:
        await infer(relay.address, bytes(256 * MIB), compression=compression)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(relay.asked) < MIB
    assert peak_mib(process) - before < 100


async def test_a_connection_is_made_anew_at_its_age_and_no_call_is_lost() -> None:
    async with talking(grpc_max_connection_age_seconds=1) as served:
        with relaying(served.address) as relay:
            async with channel(relay.address) as opened:
                ends = time.monotonic() + 10
                while relay.asked.count(PREFACE) < 2 and time.monotonic() < ends:
                    assert text_of(await opened.unary_unary(INFER)(wanting(FEW), timeout=20)) == words(FEW)
    assert relay.asked.count(PREFACE) == 2
