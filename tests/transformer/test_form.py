from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from starlette.datastructures import UploadFile

from oip.errors import InvalidRequest
from serving.errors import BadInput
from transformer.form import MAX_FIELDS, read_form

PIECE = 64 * 1024


def request(*parts: bytes, kind: str = "multipart/form-data; boundary=B") -> Request:
    """A form that comes in pieces."""
    body = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"
    pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]

    async def receive() -> AsyncIterator[dict[str, object]]:
        for number, piece in enumerate(pieces, start=1):
            yield {"type": "http.request", "body": piece, "more_body": number < len(pieces)}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    return Request(scope, receive().__anext__)


def a_file(content: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + content


def a_field(name: bytes, content: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (name, content)


async def test_a_large_photo_comes_whole_and_never_lies_on_a_disk() -> None:
    content = bytes(range(256)) * 2**14
    form = await read_form(request(a_file(content), a_field(b"top_k", b"3")), 1000)
    upload = form["file"]
    assert isinstance(upload, UploadFile)
    assert upload.file.name is None  # a file's would be its number
    assert await upload.read() == content
    assert form["top_k"] == "3"
    await form.close()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (request(a_file(b"1"), a_file(b"2")), "Too many files. Maximum number of files is 1."),
        (
            request(*[a_field(b"a", b"")] * (MAX_FIELDS + 1)),
            "Too many fields. Maximum number of fields is 8.",
        ),
        (request(a_field(b"a", b"12345678" * 2**8)), "Part exceeded maximum size of 1KB."),
        (request(kind="multipart/form-data"), "Missing boundary in multipart."),
    ],
)
async def test_a_form_over_its_limits_is_refused(asked: Request, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        await read_form(asked, 1024)


async def test_a_charset_that_decodes_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="charset of the form: expected utf-8"):
        await read_form(request(a_field(b"a", b"1"), kind="multipart/form-data; boundary=B; charset=undefined"), 1024)
