import socket
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.errors import BadInput
from transformer.url import Url, parse_url, redirected_url


def parse(text: str) -> Url:
    return parse_url(text, "url", 2048)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("http://photos.example", "http://photos.example:80/"),
        ("HTTPS://Photos.EXAMPLE/Cat.jpg", "https://photos.example:443/Cat.jpg"),
        ("http://photos.example:443/a", "http://photos.example:443/a"),
        ("http://photos.example?size=2", "http://photos.example:80/?size=2"),
        ("http://photos.example/a;b,c?d=e%20f&g=[h]", "http://photos.example:80/a;b,c?d=e%20f&g=[h]"),
        ("http://photos.example/a@b:c", "http://photos.example:80/a@b:c"),
        ("http://photos.example/фото.jpg", "http://photos.example:80/%D1%84%D0%BE%D1%82%D0%BE.jpg"),
        ("http://bücher.example/", "http://xn--bcher-kva.example:80/"),
        ("http://my_bucket.s3.example/", "http://my_bucket.s3.example:80/"),
        ("http://192.0.2.1/", "http://192.0.2.1:80/"),
        ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]:80/"),
        ("http://[::ffff:127.0.0.1]/", f"http://[{ip_address('::ffff:7f00:1')}]:80/"),
    ],
)
def test_a_url_is_read_into_its_canonical_form(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]"])
def test_a_literal_address_is_known_as_one(host: str) -> None:
    assert parse(f"http://{host}/").address == ip_address(host.strip("[]"))


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("http://photos.example:80/", "photos.example"),
        ("https://photos.example:80/", "photos.example:80"),
        ("https://[2001:db8::1]/", "[2001:db8::1]"),
    ],
)
def test_the_host_header_has_the_port_unless_it_is_the_schemes_own(text: str, header: str) -> None:
    assert parse(text).host_header == header


@pytest.mark.parametrize(
    ("text", "what_hides_after_it"),
    [
        ("http://good.example#@evil.example/", "fragment"),
        ("http://good.example?@evil.example/", "query"),
        ("http://good.example/@evil.example/", "path"),
    ],
)
def test_the_host_ends_at_the_first_delimiter(text: str, what_hides_after_it: str) -> None:
    assert parse(text).host == "good.example", what_hides_after_it


def test_a_fragment_stays_here() -> None:
    assert parse("http://photos.example/a#secret").target == "/a"


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "gopher://photos.example/",
        "ftp://photos.example/",
        "data:image/png;base64,aGVsbG8=",
        "dict://photos.example:11211/",
        "jar:http://photos.example/a.jar!/",
        "unix:///run/docker.sock",
        "ws://photos.example/",
        "javascript:alert(1)",
        "//photos.example/",
        "photos.example",
        "/a.jpg",
        "",
        "http:127.0.0.1",
        "http:/photos.example/",
        "http\u017f://photos.example/",  # a long s, which is an s to a case-blind comparison
        "http+unix://photos.example/",
    ],
)
def test_anything_but_http_and_https_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"^url: expected a URL that starts with http:// or https://$"):
        parse(text)


@pytest.mark.parametrize(
    "authority",
    [
        "user@photos.example",
        "user:password@photos.example",
        "@photos.example",
        "good.example;@photos.example",
        "good.example%40@photos.example",
        "user:password@[::1]",
    ],
)
def test_a_user_name_is_refused_and_not_repeated(authority: str) -> None:
    with pytest.raises(BadInput, match="without user name or password") as refusal:
        parse(f"http://{authority}/")
    assert authority not in str(refusal.value)


@pytest.mark.parametrize("code", [0x00, 0x09, 0x0A, 0x0D, 0x20, 0x5C, 0x7F, 0x85, 0xA0, 0x200B, 0x202E, 0x2028, 0xD800])
@pytest.mark.parametrize("where", ["{}http://a.example/", "http://a{}.example/", "http://a.example/{}"])
def test_white_space_control_characters_and_backslashes_are_refused(code: int, where: str) -> None:
    with pytest.raises(BadInput, match="without spaces, control characters and backslashes"):
        parse(where.format(chr(code)))


@pytest.mark.parametrize(
    "port", ["", "0", "080", "-1", "+80", "65536", "99999", "800000", "8 0", "http", "80:80", "٨٠"]
)
def test_a_port_that_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(BadInput, match=r"^url: expected"):
        parse(f"http://photos.example:{port}/")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0X7F000001",
        "017700000001",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f.1",
        "127.0x1",
        "127.1",
        "127.0.1",
        "0",
        "0x",
        "256.0.0.1",
        "4294967297",
        "127.000.000.001",
        "127.0.0.1.",
        "127.0.0.1.2",
        "a.example.1",
    ],
)
def test_an_ipv4_address_in_another_than_its_usual_form_is_refused(host: str) -> None:
    with pytest.raises(BadInput, match=r"^url: expected an IPv4 address as four decimal numbers"):
        parse(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..example",
        ".example",
        "photos.example.",
        "-a.example",
        "a-.example",
        "①②⑦.⓪.⓪.①",
        "\uff11\uff12\uff17.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "a%00.example",
        "a'b.example",
        "a,b.example",
        "a*b.example",
        "☃.example",
        "a" * 64 + ".example",
        "a." * 127 + "example",
        "ü." * 127 + "example",
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[127.0.0.1]",
        "[::1%25eth0]",
        "[fe80::1%eth0]",
        "[v1.x]",
        "[::1]a",
        "a[::1]",
    ],
)
def test_a_host_that_is_neither_name_nor_address_is_refused(host: str) -> None:
    with pytest.raises(BadInput, match=r"^url: expected"):
        parse(f"http://{host}/")


def test_a_long_url_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadInput, match=r"^url: expected at most 2048 characters, got 2049$"):
        parse("ü" * 2049)


@given(st.text(alphabet="0123456789abcdefxX.", min_size=1, max_size=16))
@example("1.2.3")
@example("0x7f.1")
@example("127.0.0.1")
def test_a_host_that_the_system_would_read_as_an_address_is_canonical_or_refused(host: str) -> None:
    try:
        reading = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return
    if reading == host:
        assert str(parse(f"http://{host}/").address) == host
    else:
        with pytest.raises(BadInput):
            parse(f"http://{host}/")


@given(st.text(max_size=40))
def test_any_text_is_a_clean_url_or_bad_input(text: str) -> None:
    for candidate in (text, f"http://{text}", f"http://photos.example/{text}"):
        try:
            url = parse(candidate)
        except BadInput:
            continue
        assert str(url).isascii()
        assert parse(str(url)) == url


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"b.jpg", "https://photos.example:443/dir/b.jpg"),
        (b"/b.jpg", "https://photos.example:443/b.jpg"),
        (b"../b.jpg", "https://photos.example:443/b.jpg"),
        (b"?v=2", "https://photos.example:443/dir/a.jpg?v=2"),
        (b"//cdn.example/b.jpg", "https://cdn.example:443/b.jpg"),
        (b"http://cdn.example/b.jpg", "http://cdn.example:80/b.jpg"),
        ("/ü.jpg".encode(), "https://photos.example:443/%C3%BC.jpg"),
    ],
)
def test_a_location_is_relative_to_the_url_that_sent_it(location: bytes, target: str) -> None:
    base = parse("https://photos.example/dir/a.jpg")
    assert str(redirected_url(base, location, "url", 2048)) == target


@pytest.mark.parametrize(
    "location",
    [
        b"file:///etc/passwd",
        b"gopher://cdn.example/",
        b"//user@cdn.example/",
        b"//[",
        b"/a\tb",
        b"ht\ttp://cdn.example/",
        b"/a\rb",
        b"\\\\cdn.example",
        b"/\xff",
        b"//127.1/",
        b"/" * 2049,
    ],
)
def test_a_location_is_read_as_strictly_as_a_url(location: bytes) -> None:
    with pytest.raises(BadInput, match=r"^url \(after a redirect\): expected"):
        redirected_url(parse("http://photos.example/a"), location, "url", 2048)
