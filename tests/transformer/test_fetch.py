"""Where a fetch goes, and where it never goes. Nothing here connects to anything but the loopback interface."""

import logging
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from serving.errors import BadInput, FetchFailed, ServiceError
from tests.transformer.web import NOT_PUBLIC, PHOTO, PUBLIC, PUBLIC_6, ROOTS, URL, Dialer, Names, fetcher, ok, site
from transformer.fetch import Fetcher, FetchPolicy, Resolver


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


async def test_an_allowed_host_that_does_not_resolve_could_not_be_reached() -> None:
    policy = FetchPolicy(allowed_hosts=frozenset({"photos.example"}))
    with pytest.raises(FetchFailed, match="could not be reached"):
        await fetcher(Names({}), policy=policy).fetch(URL)


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
