"""TLS speaks of the URL's host, whatever address the connection goes to."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.errors import BadInput, FetchFailed
from tests.transformer.web import PHOTO, PUBLIC, ROOTS, URL, Dialer, Names, Site, fetcher, ok, redirect, site
from transformer.fetch import FetchPolicy


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


async def test_a_tls_handshake_that_never_ends_does_not_outlast_the_timeout() -> None:
    async with site(ok()) as host:  # waits for the end of an HTTP head, which never comes
        web = fetcher(connector=Dialer(host.port), policy=FetchPolicy(timeout_seconds=0.2))
        with pytest.raises(FetchFailed, match="did not arrive within"):
            await web.fetch("https://photos.example/")


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
