"""How a fetch connects, how long it lasts and what it leaves behind."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence

import httpcore
import pytest

from serving.errors import FetchFailed
from tests.transformer.web import PHOTO, PUBLIC, PUBLIC_6, ROOTS, URL, Dialer, Names, fetcher, ok, site
from transformer.fetch import Fetcher, FetchPolicy, SystemResolver


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    async with site(ok()) as host:
        dialer = Dialer(host.port, dead=frozenset({PUBLIC_6}))
        names = Names({"photos.example": [[PUBLIC_6, PUBLIC]]})
        assert await fetcher(names, dialer).fetch(URL) == PHOTO
    assert dialer.attempts == [(PUBLIC_6, 80), (PUBLIC, 80)]


async def test_the_next_address_is_tried_when_one_is_silent() -> None:
    async with site(ok()) as host:
        dialer = Dialer(host.port)

        async def connect(address: str, port: int) -> httpcore.AsyncNetworkStream:
            await asyncio.sleep(60 if address == PUBLIC_6 else 0)
            return await dialer(address, port)

        names = Names({"photos.example": [[PUBLIC_6, PUBLIC]]})
        assert await fetcher(names, connect, FetchPolicy(connect_timeout_seconds=0.1)).fetch(URL) == PHOTO


async def test_a_name_with_many_addresses_does_not_make_many_connections() -> None:
    dialer = Dialer()
    with pytest.raises(FetchFailed, match=r"^url: the host could not be reached or broke the connection$"):
        await fetcher(Names({"photos.example": [[f"93.184.216.{n}" for n in range(200)]]}), dialer).fetch(URL)
    assert len(dialer.attempts) == 4


async def test_a_slow_resolver_does_not_outlast_the_timeout() -> None:
    async def slow(_: str) -> Sequence[str]:
        await asyncio.sleep(60)
        return [PUBLIC]

    with pytest.raises(FetchFailed, match=r"^url: the photo did not arrive within 0.1 seconds$"):
        await fetcher(slow, policy=FetchPolicy(timeout_seconds=0.1)).fetch(URL)


async def test_the_timeout_spans_all_redirects() -> None:
    async def slow_redirect(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 302 -\r\nLocation: /again\r\n\r\n")

    began = time.monotonic()
    policy = FetchPolicy(timeout_seconds=0.3, max_redirects=50)
    async with site(slow_redirect) as host:
        with pytest.raises(FetchFailed):
            await fetcher(connector=Dialer(host.port), policy=policy).fetch(URL)
    assert time.monotonic() - began < 1


async def test_a_cancelled_fetch_closes_its_connection() -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()
        gone.set()

    async with site(wait) as host:
        fetch = asyncio.create_task(fetcher(connector=Dialer(host.port)).fetch(URL))
        await came.wait()
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        async with asyncio.timeout(2):
            await gone.wait()


async def test_fetches_side_by_side_get_their_own_photos() -> None:
    async def echo(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = host.targets[-1].encode()
        writer.write(b"HTTP/1.1 200 -\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target))

    async with site(echo) as host:
        web = fetcher(connector=Dialer(host.port))
        photos = await asyncio.gather(*(web.fetch(f"http://photos.example/{n}") for n in range(20)))
    assert photos == [f"/{n}".encode() for n in range(20)]


FETCH_IN_A_PROCESS = """
import asyncio, sys
from transformer.fetch import Fetcher, FetchPolicy
host = sys.argv[1]
photo = asyncio.run(Fetcher(FetchPolicy(allowed_hosts=frozenset({host}))).fetch(f"http://{host}/cat.jpg"))
sys.stdout.buffer.write(photo)
"""


async def test_proxies_of_the_environment_are_not_used() -> None:
    async with site(ok()) as host, site(ok(b"from the proxy")) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        variables = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), address)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FETCH_IN_A_PROCESS, f"127.0.0.1:{host.port}",
            env=os.environ | variables | {"NO_PROXY": "", "no_proxy": ""}, stdout=subprocess.PIPE,
        )  # fmt: skip
        photo, _ = await process.communicate()
    assert photo == PHOTO
    assert proxy.requests == []


async def test_the_systems_resolver_gives_every_address_of_a_host() -> None:
    resolver = SystemResolver()
    assert await resolver("127.0.0.1") == ["127.0.0.1"]
    assert set(await resolver("localhost")) <= {"127.0.0.1", "::1"}
    resolver.close()


async def test_a_closed_fetcher_looks_nothing_up() -> None:
    web = Fetcher(FetchPolicy(), connector=Dialer(), ssl_context=ROOTS)
    await web.aclose()
    with pytest.raises(RuntimeError):
        await web.fetch("http://localhost/")
