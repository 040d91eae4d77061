import numpy as np
import pytest

from oip.errors import InvalidRequest
from oip.tensor import InferRequest, Parameter, RequestedOutput, Tensor, bytes_array
from transformer.request import Base64Photo, Link, checked_top_k, from_link, from_v1, from_v2


def v2(parameters: dict[str, Parameter] | None = None, classification: Parameter | None = None) -> InferRequest:
    wish = {} if classification is None else {"classification": classification}
    photo = Tensor("image", "BYTES", bytes_array([b"photo"]))
    return InferRequest("m", (photo,), outputs=(RequestedOutput("confidence", wish),), parameters=parameters or {})


def test_v1_instances_are_photos_and_links() -> None:
    body = b'{"instances": [{"image": {"b64": "AA"}}, {"image_bytes": {"b64": "BB"}}, {"url": "u"}]}'
    assert from_v1(body).sources == (
        Base64Photo("AA", "instances[0].image.b64"),
        Base64Photo("BB", "instances[1].image_bytes.b64"),
        Link("u", "instances[2].url"),
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[]", "body: expected an object, got a list"),
        (b"{}", "body: expected a member 'instances', got none"),
        (b'{"instances": 5}', "instances: expected a list, got an integer"),
        (b'{"instances": []}', "instances: expected 1 to 64 photos, got 0"),
        (b'{"instances": [1]}', "instances[0]: expected an object, got an integer"),
        (b'{"instances": [{}]}', "instances[0]: expected one of image, image_bytes and url, got none"),
        (
            b'{"instances": [{"url": "u", "image": {"b64": ""}}]}',
            "instances[0]: expected one of image, image_bytes and url, got image and url",
        ),
        (b'{"instances": [{"url": 5}]}', "instances[0].url: expected a string, got an integer"),
        (b'{"instances": [{"image": {}}]}', "instances[0].image: expected a member 'b64', got none"),
        (b'{"instances": [{"image": {"b64": 5}}]}', "instances[0].image.b64: expected a string, got an integer"),
        (b'{"instances": [{"url": "u"}], "parameters": []}', "parameters: expected an object, got a list"),
    ],
)
def test_other_v1_bodies_are_refused(body: bytes, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        from_v1(body)
    assert str(refusal.value) == text


def test_a_link_may_say_how_many_classes() -> None:
    request = from_link(b'{"url": "u", "top_k": 3}')
    assert (request.sources, request.top_k) == ((Link("u", "url"),), 3)


@pytest.mark.parametrize(
    ("parameters", "classification", "expected"),
    [({}, None, 5), ({"top_k": 3}, None, 3), ({}, 2, 2), ({"top_k": 2}, 2, 2)],
)
def test_the_number_of_classes_is_the_one_that_is_asked_for(
    parameters: dict[str, Parameter], classification: int | None, expected: int
) -> None:
    assert checked_top_k(from_v2(v2(parameters, classification)), default=5, classes=1000) == expected


def test_no_more_classes_are_named_than_there_are() -> None:
    assert checked_top_k(from_v2(v2()), default=5, classes=2) == 2


@pytest.mark.parametrize("classification", [1, "x"])
def test_two_numbers_of_classes_are_refused(classification: Parameter) -> None:
    with pytest.raises(InvalidRequest, match=r"^classification: expected 5, the top_k of the request, got "):
        from_v2(v2({"top_k": 5}, classification))


@pytest.mark.parametrize(("parameters", "wish", "field"), [({"top_k": 0}, None, "top_k"), ({}, 0, "classification")])
def test_a_bad_number_is_refused_in_its_field(parameters: dict[str, Parameter], wish: int | None, field: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field}: expected an integer from 1 to 1000, got 0$"):
        checked_top_k(from_v2(v2(parameters, wish)), default=5, classes=1000)


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor("pixels", "BYTES", bytes_array([b""])), "inputs: expected either 'image' or 'url', got 'pixels'"),
        (Tensor("image", "UINT8", np.zeros(1, np.uint8)), "input 'image' datatype: expected BYTES, got UINT8"),
        (Tensor("image", "BYTES", bytes_array([b""], (1, 1))), r"input 'image' shape: expected \[N\], got \[1, 1\]"),
        (Tensor("url", "BYTES", bytes_array([b"\xff"])), r"url\[0\]: expected a URL, got bytes that are not UTF-8"),
        (Tensor("url", "BYTES", bytes_array([])), "url: expected 1 to 64 photos, got 0"),
    ],
)
def test_other_v2_inputs_are_refused(tensor: Tensor, text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{text}"):
        from_v2(InferRequest("m", (tensor,)))
