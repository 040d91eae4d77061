"""What a client asks: photos, by value or by URL, and how many classes; read from each door's form."""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

from oip import contract
from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.tensor import InferRequest, RequestedOutput, Tensor

TOP_K = "top_k"
URL = "url"
_IMAGE_KEYS = ("image", "image_bytes")


@dataclass(frozen=True, slots=True)
class Photo:
    """The bytes of an encoded photo; `field` is where the client put them."""

    data: bytes
    field: str


@dataclass(frozen=True, slots=True)
class Base64Photo:
    """A photo as base64 text, decoded only when its turn comes."""

    text: str | bytes
    field: str


@dataclass(frozen=True, slots=True)
class Link:
    """A photo to fetch."""

    url: str
    field: str


Source = Photo | Base64Photo | Link


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """Photos in the client's order; `top_k` as the client gave it, None when it did not."""

    sources: tuple[Source, ...]
    top_k: Any = None


def from_v1(body: object) -> ClassifyRequest:
    """V1: instances of `{"image": {"b64": …}}`, `{"image_bytes": {"b64": …}}` or `{"url": …}`, and parameters."""
    if not isinstance(body, dict):
        raise mismatch("body", "a JSON object", _kind(body))
    instances, parameters = body.get("instances"), body.get("parameters", {})
    if not isinstance(instances, list):
        raise mismatch("instances", "a list", _kind(instances))
    if not isinstance(parameters, dict):
        raise mismatch("parameters", "an object", _kind(parameters))
    _check_count("instances", instances)
    sources = tuple(_instance(instance, f"instances[{index}]") for index, instance in enumerate(instances))
    return ClassifyRequest(sources, parameters.get(TOP_K))


def from_v2(request: InferRequest) -> ClassifyRequest:
    """V2: one input, `image` BYTES `[N]` (base64 in JSON, else the photo's own bytes) or `url` BYTES `[N]`."""
    names = sorted(tensor.name for tensor in request.inputs)
    if names not in ([contract.INPUT], [URL]):
        raise mismatch("inputs", f"either {contract.INPUT!r} or {URL!r}", excerpt(", ".join(names)))
    (tensor,) = request.inputs
    if tensor.datatype != "BYTES":
        raise mismatch(f"datatype of input {tensor.name}", "BYTES", tensor.datatype)
    if len(tensor.shape) != 1:
        raise mismatch(f"shape of input {tensor.name}", "[N]", list(tensor.shape))
    _check_count(tensor.name, tensor.array)
    sources = tuple(_element(tensor, value, f"{tensor.name}[{index}]") for index, value in enumerate(tensor.array))
    return ClassifyRequest(sources, request.parameters.get(TOP_K, _classification(request)))


def _classification(request: InferRequest) -> Any:
    """How many classes the protocol's classification extension asks for, None when it is not used."""
    asked = [output.parameters[contract.CLASSIFICATION] for output in request.outputs if wants_classes(output)]
    return asked[0] if asked else None


def wants_classes(output: RequestedOutput) -> bool:
    return contract.CLASSIFICATION in output.parameters


def checked_top_k(top_k: Any, default: int, classes: int) -> int:
    """How many classes to name, from 1 to all; raises InvalidRequest that names the field and both limits."""
    if top_k is None:
        return min(default, classes)
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= classes:
        raise mismatch(TOP_K, f"an integer from 1 to {classes}", excerpt(top_k))
    return top_k


def _instance(instance: object, field: str) -> Source:
    if not isinstance(instance, dict) or len(given := [key for key in (*_IMAGE_KEYS, URL) if key in instance]) != 1:
        raise mismatch(field, f"one of {', '.join(_IMAGE_KEYS)} and {URL}", _kind(instance))
    (key,) = given
    if key == URL:
        return Link(_text(instance[URL], f"{field}.{URL}"), f"{field}.{URL}")
    image = instance[key]
    if not isinstance(image, dict) or "b64" not in image:
        raise mismatch(f"{field}.{key}", 'an object {"b64": …}', _kind(image))
    return Base64Photo(_text(image["b64"], f"{field}.{key}.b64"), f"{field}.{key}.b64")


def _element(tensor: Tensor, value: bytes, field: str) -> Source:
    if tensor.name == contract.INPUT:
        return Base64Photo(value, field) if tensor.from_json else Photo(value, field)
    try:
        return Link(value.decode(), field)
    except UnicodeDecodeError as error:
        raise mismatch(field, "a URL", "bytes that are not UTF-8") from error


def _check_count(field: str, items: Sized) -> None:
    if not 1 <= len(items) <= contract.MAX_IMAGES:
        raise InvalidRequest(f"{field}: expected 1 to {contract.MAX_IMAGES} photos, got {len(items)}")


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise mismatch(field, "a string", _kind(value))
    return value


def _kind(value: object) -> str:
    """What was given, in JSON's words, without repeating it."""
    if isinstance(value, dict):
        return f"an object with {', '.join(map(repr, list(value)[:4]))[:100] or 'nothing'}"
    kinds: dict[type, str] = {type(None): "nothing", list: "a list", str: "a string", bool: "true or false"}
    return kinds.get(type(value), "a number")
