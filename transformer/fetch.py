"""Fetches a photo from a URL that a stranger chose, over a connection to an address that was judged first.

Each hop is parsed, resolved once, judged whole and connected to by address, so no name is looked up twice (DNS
rebinding) and no connection outlives its fetch.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

import h11
import httpcore

from serving.errors import BadInput, FetchFailed
from transformer.addresses import IPAddress, IPNetwork, is_public
from transformer.exchange import Answer, Exchange
from transformer.url import Url, parse_url, redirected_url

logger = logging.getLogger("transformer.fetch")

PORTS = frozenset({80, 443})
MAX_ADDRESSES_TRIED = 4
DNS_THREADS = 8

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""From a host name to all its addresses as text; raises OSError when there are none."""

Connector = Callable[[str, int], Awaitable[httpcore.AsyncNetworkStream]]
"""From an address and a port to a TCP connection; raises OSError or an error of httpcore's."""


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What may be fetched, and how much of it.

    `allowed_hosts` are exceptions: `host` (every port of it) or `host:port`, in the canonical form of a URL; their
    addresses are not judged and may be private. `denied_networks` come on top of the special-purpose registries.
    `timeout_seconds` spans everything from DNS to the last byte, over all redirects.
    """

    enabled: bool = True
    allowed_hosts: frozenset[str] = frozenset()
    denied_networks: tuple[IPNetwork, ...] = ()
    max_bytes: int = 10 * 1024 * 1024
    timeout_seconds: float = 5.0
    connect_timeout_seconds: float = 2.0
    max_redirects: int = 2
    max_url_length: int = 2048

    def __post_init__(self) -> None:
        for entry in self.allowed_hosts:
            if entry not in _spellings(entry):
                raise ValueError(f"allowed_hosts: expected host or host:port in canonical form, got {entry!r}")

    def allows(self, url: Url) -> bool:
        """Whether the operator made an exception for this host."""
        return not self.allowed_hosts.isdisjoint({url.bracketed_host, url.authority})


def _spellings(entry: str) -> set[str]:
    try:
        url = parse_url(f"http://{entry}", "allowed_hosts", max_length=300)
    except BadInput:
        return set()
    return {url.bracketed_host, url.authority}


class SystemResolver:
    """The operating system's resolver, on threads of its own.

    A lookup cannot be interrupted, so slow name servers may hold all of these threads, but never the event loop's
    default executor; lookups whose fetch is over are dropped before they start.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def __call__(self, host: str) -> list[str]:
        lookup = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        return [str(answer[4][0]) for answer in answers]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Fetcher:
    """Gets bytes from URLs. One for a process; fetches run side by side and share nothing but the policy.

    It reads no proxy settings, sends no cookies or credentials and asks for no compression.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        resolver: Resolver | None = None,
        connector: Connector | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._system_resolver = SystemResolver()
        self._resolve = resolver or self._system_resolver
        self._connect = connector or httpcore.AnyIOBackend().connect_tcp
        self._ssl_context = ssl_context or httpcore.default_ssl_context()

    async def fetch(self, url: str, field: str = "url") -> bytes:
        """The body behind `url`, whatever its media type says.

        Errors name `field`: BadInput for a URL that is malformed or not allowed, TooLarge for a body over
        `max_bytes`, FetchFailed when no complete answer with status 200 came, within
        `timeout_seconds`. A host that does not exist and one whose address is not public give the same error, so
        that nobody can map the internal network with it.
        """
        if not self._policy.enabled:
            raise BadInput(f"{field}: this server does not fetch photos from URLs; send the photo itself")
        try:
            async with asyncio.timeout(self._policy.timeout_seconds):
                return await self._follow(url, field)
        except TimeoutError:
            limit = self._policy.timeout_seconds
            raise FetchFailed(f"{field}: the photo did not arrive within {limit:g} seconds") from None

    async def aclose(self) -> None:
        """Drops lookups that have not started; no connection outlives its fetch."""
        self._system_resolver.close()

    async def _follow(self, text: str, field: str) -> bytes:
        url = parse_url(text, field, self._policy.max_url_length)
        for _ in range(self._policy.max_redirects + 1):
            answer = await self._get(url, field)
            if answer.location is None:
                return answer.body
            url = self._redirected(url, answer.location, field)
        raise FetchFailed(f"{field}: expected at most {self._policy.max_redirects} redirects, got more")

    def _redirected(self, url: Url, location: bytes, field: str) -> Url:
        target = redirected_url(url, location, field, self._policy.max_url_length)
        if (url.scheme, target.scheme) == ("https", "http"):
            raise _refusal(target, "downgrade", f"{field}: expected https after a redirect from https, got http")
        return target

    async def _get(self, url: Url, field: str) -> Answer:
        addresses = await self._admit(url, field)
        try:
            async with self._connection(url, addresses) as stream:
                return await Exchange(stream, self._policy.max_bytes, field).get(url)
        except (OSError, httpcore.NetworkError, httpcore.TimeoutException):
            raise FetchFailed(f"{field}: the host could not be reached or broke the connection") from None
        except h11.ProtocolError:
            raise FetchFailed(f"{field}: expected a complete HTTP answer, got a broken one") from None

    async def _admit(self, url: Url, field: str) -> Sequence[IPAddress]:
        """The addresses of the URL's host, every one of them judged; one that is refused refuses all."""
        allowed = self._policy.allows(url)
        if not allowed and url.port not in PORTS:
            raise _refusal(url, "port", f"{field}: expected port 80 or 443, got {url.port}")
        addresses = await self._addresses(url)
        if allowed:
            return addresses
        if not addresses or not all(is_public(address, self._policy.denied_networks) for address in addresses):
            reason = "address" if addresses else "unknown name"
            raise _refusal(url, reason, f"{field}: expected a host with public addresses only")
        return addresses

    async def _addresses(self, url: Url) -> Sequence[IPAddress]:
        if url.address is not None:
            return [url.address]
        try:
            return [ip_address(answer) for answer in await self._resolve(url.host)]
        except OSError:
            return []

    @asynccontextmanager
    async def _connection(self, url: Url, addresses: Sequence[IPAddress]) -> AsyncIterator[httpcore.AsyncNetworkStream]:
        stream = await self._connect_any(addresses, url.port)
        try:
            yield await self._secure(stream, url)
        finally:
            await stream.aclose()

    async def _connect_any(self, addresses: Sequence[IPAddress], port: int) -> httpcore.AsyncNetworkStream:
        for address in addresses[:MAX_ADDRESSES_TRIED]:
            try:
                async with asyncio.timeout(self._policy.connect_timeout_seconds):
                    return await self._connect(str(address), port)
            except (OSError, httpcore.NetworkError, httpcore.TimeoutException):
                continue
        raise httpcore.ConnectError

    async def _secure(self, stream: httpcore.AsyncNetworkStream, url: Url) -> httpcore.AsyncNetworkStream:
        if url.scheme == "http":
            return stream
        return await stream.start_tls(self._ssl_context, server_hostname=url.host)


def _refusal(url: Url, reason: str, message: str) -> BadInput:
    logger.info("fetch refused: host %s, reason: %s", url.host, reason)
    return BadInput(message)
