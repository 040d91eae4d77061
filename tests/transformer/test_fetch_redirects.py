"""Each hop of a fetch is parsed, looked up and judged as the first one was."""

import pytest

from serving.errors import BadInput, FetchFailed
from tests.transformer.web import NOT_PUBLIC, PHOTO, PUBLIC, PUBLIC_6, URL, Dialer, Names, fetcher, ok, redirect, site
from transformer.fetch import FetchPolicy


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
