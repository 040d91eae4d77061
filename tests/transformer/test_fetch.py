"""Where a fetch goes, and where it never goes. Nothing here connects to anything but the loopback interface."""

import asyncio
import logging
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.errors import BadInput, DeadlineExceeded, FetchFailed, ServiceError
from tests.transformer.web import PHOTO, PUBLIC, PUBLIC_6, ROOTS, Dialer, Names, Site, ok, redirect, site
from transformer.fetch import Connector, Fetcher, FetchPolicy, Resolver, SystemResolver

NOT_PUBLIC = "url: expected a host with public addresses only"
URL = "http://photos.example/cat.jpg"


def fetcher(
    resolver: Resolver | None = None,
    connector: Connector | None = None,
    policy: FetchPolicy | None = None,
    roots: ssl.SSLContext = ROOTS,
) -> Fetcher:
    names = Names({"photos.example": [[PUBLIC]], "cdn.example": [[PUBLIC_6]]})
    return Fetcher(policy or FetchPolicy(), resolver or names, connector or Dialer(), roots)


async def refusal(url: str, resolver: Resolver | None = None, policy: FetchPolicy | None = None) -> str:
    """The error's text for a URL that is refused before any connection."""
    dialer = Dialer()
    with pytest.raises(BadInput) as error:
        await fetcher(resolver, dialer, policy).fetch(url)
    assert dialer.attempts == []
    return error.value.message


async def test_a_photo_comes_from_the_address_that_was_judged() -> None:
    async with site(ok()) as host:
        dialer, names = Dialer(host.port), Names({"photos.example": [[PUBLIC]]})
        assert await fetcher(names, dialer).fetch(URL) == PHOTO
    assert (names.asked, dialer.attempts) == (["photos.example"], [(PUBLIC, 80)])


async def test_the_request_says_no_more_than_it_must() -> None:
    async with site(ok()) as host:
        await fetcher(connector=Dialer(host.port)).fetch("http://photos.example/cat.jpg?size=2#top")
    request_line, *headers = host.requests[0].strip().split("\r\n")
    assert request_line == "GET /cat.jpg?size=2 HTTP/1.1"
    assert dict(line.split(": ") for line in headers) == {
        "Host": "photos.example",
        "User-Agent": "kserve-image-classifier",
        "Accept": "image/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


LITERALS_NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104
    "127.0.0.1",
    "10.0.0.1",
    "10.96.0.1",  # the Kubernetes API, as a rule
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::80ff:fffe]",
    "[2606:2800:220:1:0:5efe:7f00:1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]


@pytest.mark.parametrize("literal", LITERALS_NOT_PUBLIC)
async def test_a_literal_address_that_is_not_public_is_refused(literal: str) -> None:
    assert await refusal(f"http://{literal}/") == NOT_PUBLIC


@pytest.mark.parametrize("literal", LITERALS_NOT_PUBLIC)
async def test_a_name_of_an_address_that_is_not_public_is_refused_alike(literal: str) -> None:
    assert await refusal(URL, Names({"photos.example": [[literal.strip("[]")]]})) == NOT_PUBLIC


@pytest.mark.parametrize(
    "answers",
    [
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [PUBLIC, "::1"],
        [PUBLIC, PUBLIC_6, PUBLIC, "fe80::1%2"],
        ["fd00::1"],
        [],
    ],
    ids=["last", "first", "other family", "beyond those tried", "private AAAA only", "none"],
)
async def test_one_answer_that_is_not_public_refuses_the_name(answers: Sequence[str]) -> None:
    assert await refusal(URL, Names({"photos.example": [answers]})) == NOT_PUBLIC


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "metadata.google.internal",
        "kubernetes.default.svc",
        "resnet50-predictor.default.svc.cluster.local",
        "127.0.0.1.nip.io",
    ],
)
async def test_an_internal_name_that_exists_looks_like_one_that_does_not(name: str) -> None:
    exists = await refusal(f"http://{name}/", Names({name: [["10.0.0.7"]]}))
    does_not_exist = await refusal(f"http://{name}/", Names({}))
    assert exists == does_not_exist == NOT_PUBLIC


async def test_an_operator_can_deny_more_networks() -> None:
    policy = FetchPolicy(denied_networks=(ip_network(f"{PUBLIC}/24", strict=False),))
    assert await refusal(URL, policy=policy) == NOT_PUBLIC


async def test_a_name_is_looked_up_once_so_rebinding_has_no_second_chance() -> None:
    names = Names({"photos.example": [[PUBLIC], ["127.0.0.1"]]})
    async with site(ok()) as host:
        dialer = Dialer(host.port)
        assert await fetcher(names, dialer).fetch(URL) == PHOTO
    assert (len(names.asked), dialer.attempts) == (1, [(PUBLIC, 80)])


async def test_a_second_fetch_uses_no_connection_or_judgement_of_the_first() -> None:
    names = Names({"photos.example": [[PUBLIC], [PUBLIC_6], ["10.0.0.1"]]})
    async with site(ok()) as host:
        dialer = Dialer(host.port)
        web = fetcher(names, dialer)
        await web.fetch(URL)
        await web.fetch(URL)
        with pytest.raises(BadInput):
            await web.fetch(URL)
    assert dialer.attempts == [(PUBLIC, 80), (PUBLIC_6, 80)]
    assert len(host.requests) == 2


@pytest.mark.parametrize("port", [1, 22, 6379, 8012, 8022, 8080, 8081, 9090, 9091, 65535])
async def test_other_ports_than_80_and_443_are_refused(port: int) -> None:
    assert await refusal(f"http://photos.example:{port}/") == f"url: expected port 80 or 443, got {port}"


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("http", 443), ("https", 80), ("https", 443)])
async def test_ports_80_and_443_are_tried(scheme: str, port: int) -> None:
    dialer = Dialer()
    with pytest.raises(FetchFailed):
        await fetcher(connector=dialer).fetch(f"{scheme}://photos.example:{port}/")
    assert dialer.attempts == [(PUBLIC, port)]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://2130706433/", "http://a@photos.example/", "http://[::1/"]
)
async def test_a_malformed_url_reaches_neither_resolver_nor_connector(url: str) -> None:
    names = Names({})
    await refusal(url, names)
    assert names.asked == []


async def test_a_long_url_is_refused() -> None:
    policy = FetchPolicy(max_url_length=30)
    assert await refusal(URL + "?" + "x" * 30, policy=policy) == "url: expected at most 30 characters, got 60"


async def test_an_allowed_host_may_be_private_and_on_any_port() -> None:
    async with site(ok()) as host:
        policy = FetchPolicy(allowed_hosts=frozenset({f"127.0.0.1:{host.port}"}))
        assert await Fetcher(policy, ssl_context=ROOTS).fetch(f"http://127.0.0.1:{host.port}/cat.jpg") == PHOTO


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("photos.example", URL),
        ("photos.example", "http://PHOTOS.example:9000/"),
        ("photos.example:9000", "http://photos.example:9000/"),
        ("[::1]:9000", "http://[0:0::1]:9000/"),
    ],
)
async def test_an_allowed_host_is_not_judged(entry: str, url: str) -> None:
    dialer = Dialer()
    policy = FetchPolicy(allowed_hosts=frozenset({entry}))
    with pytest.raises(FetchFailed):
        await fetcher(Names({"photos.example": [["10.0.0.1"]]}), dialer, policy).fetch(url)
    assert len(dialer.attempts) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://photos.example:9001/",
        "http://photos.example/",
        "http://a.photos.example:9000/",
        "http://127.0.0.1:9000/",
        "http://photos.example.evil.example:9000/",
    ],
)
async def test_an_exception_holds_for_its_own_host_and_port_only(url: str) -> None:
    private = [["10.0.0.1"]]
    names = Names(dict.fromkeys(("photos.example", "a.photos.example", "photos.example.evil.example"), private))
    await refusal(url, names, FetchPolicy(allowed_hosts=frozenset({"photos.example:9000"})))


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "Photos.example",
        "http://photos.example",
        "photos.example/",
        "127.1",
        "::1",
        "a@b",
        "a:0",
        "photos.example.",
    ],
)
def test_an_exception_that_could_never_match_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^allowed_hosts: expected host or host:port in canonical form, got "):
        FetchPolicy(allowed_hosts=frozenset({entry}))


async def test_fetching_can_be_switched_off() -> None:
    text = await refusal(URL, policy=FetchPolicy(enabled=False))
    assert text == "url: this server does not fetch photos from URLs; send the photo itself"


async def test_the_field_is_named_as_the_caller_says() -> None:
    with pytest.raises(BadInput, match=r"^instances\[3\]\.url: "):
        await fetcher().fetch("http://127.0.0.1/", "instances[3].url")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_with_a_lookup_of_its_own(status: int) -> None:
    async with site(redirect("http://cdn.example/b.jpg", status), ok()) as host:
        dialer = Dialer(host.port)
        assert await fetcher(connector=dialer).fetch(URL) == PHOTO
    assert dialer.attempts == [(PUBLIC, 80), (PUBLIC_6, 80)]
    assert host.targets == ["/cat.jpg", "/b.jpg"]


async def test_a_relative_redirect_is_looked_up_again() -> None:
    names = Names({"photos.example": [[PUBLIC], ["127.0.0.1"]]})
    async with site(redirect("/b.jpg"), ok()) as host:
        dialer = Dialer(host.port)
        with pytest.raises(BadInput, match=NOT_PUBLIC):
            await fetcher(names, dialer).fetch(URL)
    assert dialer.attempts == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "//internal.example/",
        "http://nowhere.example/",
        "http://2130706433/",
        "http://photos.example:8080/",
        "http://user:password@photos.example/",
        "file:///etc/passwd",
        "gopher://photos.example/",
        "/a\tb",
        "/" + "a" * 3000,
    ],
)
async def test_a_redirect_is_judged_as_the_first_url_was(location: str) -> None:
    names = Names({"photos.example": [[PUBLIC]], "internal.example": [["10.0.0.1"]]})
    async with site(redirect(location)) as host:
        dialer = Dialer(host.port)
        with pytest.raises(BadInput, match=r"^url"):
            await fetcher(names, dialer).fetch(URL)
    assert dialer.attempts == [(PUBLIC, 80)]


async def test_a_header_that_is_smuggled_into_a_location_is_no_part_of_it() -> None:
    async with site(redirect("/b.jpg\r\nSet-Cookie: a=b"), ok()) as host:
        assert await fetcher(connector=Dialer(host.port)).fetch(URL) == PHOTO
    assert host.targets == ["/cat.jpg", "/b.jpg"]
    assert "cookie" not in host.requests[1].lower()


async def test_two_redirects_are_followed() -> None:
    async with site(redirect("/b"), redirect("/c"), ok()) as host:
        assert await fetcher(connector=Dialer(host.port)).fetch(URL) == PHOTO
    assert host.targets == ["/cat.jpg", "/b", "/c"]


async def test_a_redirect_loop_ends_after_the_second() -> None:
    async with site(redirect("/again")) as host:
        with pytest.raises(FetchFailed, match=r"^url: expected at most 2 redirects, got more$"):
            await fetcher(connector=Dialer(host.port)).fetch(URL)
    assert len(host.requests) == 3


async def test_redirects_can_be_switched_off() -> None:
    async with site(redirect("/b"), ok()) as host:
        with pytest.raises(FetchFailed, match="at most 0 redirects"):
            await fetcher(connector=Dialer(host.port), policy=FetchPolicy(max_redirects=0)).fetch(URL)
    assert len(host.requests) == 1


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

    with pytest.raises(DeadlineExceeded, match=r"^url: the photo did not arrive within 0.1 seconds$"):
        await fetcher(slow, policy=FetchPolicy(timeout_seconds=0.1)).fetch(URL)


async def test_the_timeout_spans_all_redirects() -> None:
    async def slow_redirect(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 302 -\r\nLocation: /again\r\n\r\n")

    began = time.monotonic()
    policy = FetchPolicy(timeout_seconds=0.3, max_redirects=50)
    async with site(slow_redirect) as host:
        with pytest.raises(DeadlineExceeded):
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


@pytest.mark.parametrize(
    ("url", "answers"),
    [
        ("http://secret-host.internal/?token=secret", ["10.9.8.7"]),
        ("http://user:secret@secret-host.internal/", [PUBLIC]),
        ("http://secret-host.internal/?token=secret", [PUBLIC]),
        ("ftp://secret-host.internal/?token=secret", [PUBLIC]),
        ("https://secret-host.internal:9999/?token=secret", [PUBLIC]),
    ],
)
async def test_errors_and_logs_hold_no_secret_and_no_address(
    url: str, answers: Sequence[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ServiceError) as error:
        await fetcher(Names({"secret-host.internal": [answers]})).fetch(url)
    assert not {"secret", "10.9.8.7", PUBLIC, "refused", "Errno"} & set(error.value.message.replace(":", " ").split())
    assert "secret-host" not in error.value.message
    assert "token" not in caplog.text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/?a=b", "host 127.0.0.1, reason: address"),
        ("http://internal.example/?a=b", "host internal.example, reason: address"),
        ("http://nowhere.example/?a=b", "host nowhere.example, reason: unknown name"),
        ("http://photos.example:22/?a=b", "host photos.example, reason: port"),
    ],
)
async def test_a_refusal_is_logged_in_one_line_with_its_real_reason(
    url: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await refusal(url, Names({"internal.example": [["10.0.0.1"]]}))
    assert caplog.record_tuples == [("transformer.fetch", logging.INFO, f"fetch refused: {reason}")]


def certificate(folder: Path, name: str, lasts: timedelta = timedelta(days=1)) -> Path:
    """A self-signed certificate with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


async def fetch_over_tls(pem: Path, url: str, roots: ssl.SSLContext) -> tuple[bytes, Site, list[str | None]]:
    names: list[str | None] = []
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(pem)
    served.sni_callback = lambda _socket, name, _context: names.append(name)
    resolver = Names({"photos.example": [[PUBLIC]], "other.example": [[PUBLIC]]})
    async with site(ok(), tls=served) as host:
        return await fetcher(resolver, Dialer(host.port), roots=roots).fetch(url), host, names


async def test_tls_and_host_header_speak_of_the_urls_host_not_of_the_address(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "photos.example")
    trusting = ssl.create_default_context(cafile=pem)
    photo, host, names = await fetch_over_tls(pem, "https://photos.example/cat.jpg", trusting)
    assert photo == PHOTO
    assert names == ["photos.example"]
    assert "Host: photos.example\r\n" in host.requests[0]


@pytest.mark.parametrize("case", ["self-signed", "wrong name", "expired"])
async def test_a_certificate_that_does_not_hold_is_refused(tmp_path: Path, case: str) -> None:
    pem = certificate(tmp_path, "photos.example", timedelta(days=-1 if case == "expired" else 1))
    roots = ROOTS if case == "self-signed" else ssl.create_default_context(cafile=pem)
    url = "https://other.example/" if case == "wrong name" else "https://photos.example/"
    with pytest.raises(FetchFailed, match=r"^url: the host could not be reached or broke the connection$"):
        await fetch_over_tls(pem, url, roots)


async def test_a_host_that_speaks_no_tls_is_a_failed_fetch() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 -\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        dialer = Dialer(server.sockets[0].getsockname()[1])
        with pytest.raises(FetchFailed):
            await fetcher(connector=dialer).fetch("https://photos.example/")


async def test_a_redirect_from_https_to_http_is_refused(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "photos.example")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(pem)
    async with site(redirect(URL), tls=served) as host:
        dialer = Dialer(host.port)
        web = fetcher(connector=dialer, roots=ssl.create_default_context(cafile=pem))
        with pytest.raises(BadInput, match=r"^url: expected https after a redirect from https, got http$"):
            await web.fetch("https://photos.example/")
    assert dialer.attempts == [(PUBLIC, 443)]


async def test_a_tls_handshake_that_never_ends_does_not_outlast_the_timeout() -> None:
    async with site(ok()) as host:  # waits for the end of an HTTP head, which never comes
        web = fetcher(connector=Dialer(host.port), policy=FetchPolicy(timeout_seconds=0.2))
        with pytest.raises(DeadlineExceeded):
            await web.fetch("https://photos.example/")


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
