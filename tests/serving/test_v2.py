"""The header that says how many bytes of a body are JSON."""

import pytest
from fastapi import Request

from oip.errors import InvalidRequest
from oip.rest import HEADER_LENGTH
from serving.v2 import header_length


def request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": named})


def test_without_the_header_all_is_json() -> None:
    assert header_length(request()) is None


@pytest.mark.parametrize("text", ["109", " 109", "109 ", "\t109\t "])
def test_space_around_the_number_is_no_part_of_it(text: str) -> None:
    assert header_length(request(inference_header_content_length=text)) == 109


@pytest.mark.parametrize("text", ["", " ", "-1", "1 2", "0x10", "1.0", "9" * 19])
def test_what_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{HEADER_LENGTH}: expected a number of bytes"):
        header_length(request(inference_header_content_length=text))
