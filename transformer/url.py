"""A web address, parsed once and strictly: what is judged is what is connected to, asked for and verified by TLS."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

import idna

from serving.errors import BadInput
from transformer.addresses import IPAddress

MAX_HOST_LENGTH = 253
MAX_PORT = 65535
DEFAULT_PORTS = {"http": 80, "https": 443}

_SCHEME = re.compile(r"(https?)://", re.ASCII | re.IGNORECASE)
_AFTER_SCHEME = re.compile(r"(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[1-9][0-9]{0,4}))?")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LAST_LABEL = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http or https URL without user name, password or fragment.

    `host` is a lower-case ASCII name, or a literal address in its canonical form without brackets; then `address`
    holds it too. `target` is path and query as they go on the wire.
    """

    scheme: str
    host: str
    port: int
    target: str
    address: IPAddress | None

    @property
    def bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        """Host and port, always both."""
        return f"{self.bracketed_host}:{self.port}"

    @property
    def host_header(self) -> str:
        """Host, with the port where it is not the scheme's own (RFC 9110 section 7.2)."""
        return self.bracketed_host if self.port == DEFAULT_PORTS[self.scheme] else self.authority

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(text: str, field: str, max_length: int) -> Url:
    """The URL in `text`, or BadInput that names `field`; the text of the error repeats nothing that may be secret."""
    _check_characters(text, field, max_length)
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise BadInput(f"{field}: expected a URL that starts with http:// or https://")
    rest = _AFTER_SCHEME.fullmatch(text, scheme.end())
    authority = _AUTHORITY.fullmatch(rest["authority"]) if rest else None
    if rest is None or authority is None or "@" in authority["host"]:
        raise BadInput(f"{field}: expected a host and at most a port, without user name or password")
    host, address = _host(authority["host"], field)
    name = scheme[1].lower()
    port = _port(authority["port"], DEFAULT_PORTS[name], field)
    return Url(name, host, port, _target(rest["target"]), address)


def redirected_url(base: Url, location: bytes, field: str, max_length: int) -> Url:
    """The URL that a Location header leads to from `base`, as strictly parsed as the first one."""
    field = f"{field} (after a redirect)"
    try:
        text = location.decode()
        _check_characters(text, field, max_length)  # urljoin drops tabs and newlines in silence
        joined = urljoin(str(base), text)
    except ValueError:
        raise BadInput(f"{field}: expected a URL") from None
    return parse_url(joined, field, max_length)


def _check_characters(text: str, field: str, max_length: int) -> None:
    if len(text) > max_length:
        raise BadInput(f"{field}: expected at most {max_length} characters, got {len(text)}")
    if not text.isprintable() or " " in text or "\\" in text:
        raise BadInput(f"{field}: expected a URL without spaces, control characters and backslashes")


def _port(digits: str | None, default: int, field: str) -> int:
    port = int(digits) if digits else default
    if port > MAX_PORT:
        raise BadInput(f"{field}: expected a port up to {MAX_PORT}, got {port}")
    return port


def _target(path_and_query: str) -> str:
    """Other scripts in a path are percent-encoded as UTF-8, as browsers do; what is ASCII stays as it is."""
    slash = "" if path_and_query.startswith("/") else "/"
    return slash + quote(path_and_query, safe=_ASCII)


def _host(text: str, field: str) -> tuple[str, IPAddress | None]:
    if text.startswith("["):
        return _ipv6_literal(text[1:-1], field)
    name = _ascii_name(text, field)
    if _NUMERIC_LAST_LABEL.fullmatch(name):
        return _ipv4_literal(name, field)
    if not _NAME.fullmatch(name):
        raise BadInput(f"{field}: expected a host name of letters, digits, hyphens and dots, or an IP address")
    return name, None


def _ipv6_literal(text: str, field: str) -> tuple[str, IPAddress]:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise BadInput(f"{field}: expected an IPv6 address between the brackets") from None
    if address.scope_id is not None:
        raise BadInput(f"{field}: expected an IPv6 address without a zone")
    return str(address), address


def _ipv4_literal(name: str, field: str) -> tuple[str, IPAddress]:
    """getaddrinfo also takes 2130706433, 0x7f.1, 0177.0.0.1 and 127.1; a URL has no honest use for them."""
    try:
        address = IPv4Address(name)
    except AddressValueError:
        raise BadInput(f"{field}: expected an IPv4 address as four decimal numbers, such as 192.0.2.1") from None
    return name, address


def _ascii_name(text: str, field: str) -> str:
    if not 0 < len(text) <= MAX_HOST_LENGTH:
        raise BadInput(f"{field}: expected a host name of 1 to {MAX_HOST_LENGTH} characters")
    name = text.lower()
    try:
        return name if name.isascii() else idna.encode(name, strict=True).decode()  # strict: only "." parts labels
    except idna.IDNAError:
        raise BadInput(f"{field}: expected a host name that IDNA 2008 allows") from None
