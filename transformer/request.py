"""What a client asks: photos, by value or by URL, and how many classes; read from each door's form."""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.json import Decoder

from oip import contract
from oip.classification import checked_k
from oip.document import Json, decode_json
from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.tensor import InferRequest, Parameter, RequestedOutput, Tensor

TOP_K = "top_k"
URL = "url"
_IMAGE_KEYS = ("image", "image_bytes")


@dataclass(frozen=True, slots=True)
class Photo:
    """The bytes of an encoded photo; `field` is where the client put them."""

    data: bytes
    field: str
    origin: ClassVar[str] = "upload"


@dataclass(frozen=True, slots=True)
class Base64Photo:
    """A photo as base64 text, decoded only when its turn comes."""

    text: str | bytes
    field: str
    origin: ClassVar[str] = "base64"


@dataclass(frozen=True, slots=True)
class Link:
    """A photo to fetch."""

    url: str
    field: str
    origin: ClassVar[str] = "url"


Source = Photo | Base64Photo | Link


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """Photos in the client's order; `top_k` (in that field) and `fingerprint` as the client gave them, or None."""

    sources: tuple[Source, ...]
    top_k: Any = None
    top_k_field: str = TOP_K
    fingerprint: Any = None


class _Encoded(msgspec.Struct, gc=False):
    b64: str


class _Instance(msgspec.Struct, gc=False):
    image: _Encoded | UnsetType = UNSET
    image_bytes: _Encoded | UnsetType = UNSET
    url: str | UnsetType = UNSET


class _Parameters(msgspec.Struct, gc=False):
    top_k: Parameter | None = None
    fingerprint: Parameter | None = None


class _Body(msgspec.Struct, gc=False):
    instances: list[_Instance]
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


class _LinkBody(msgspec.Struct, gc=False):
    url: str
    top_k: Parameter | None = None


_BODY = Decoder(_Body)
_LINK_BODY = Decoder(_LinkBody)


def from_v1(body: bytes | Json) -> ClassifyRequest:
    """V1: instances of `{"image": {"b64": …}}`, `{"image_bytes": {"b64": …}}` or `{"url": …}`, and parameters."""
    document = decode_json(_BODY, body)
    _check_count("instances", document.instances)
    sources = tuple(_source(instance, f"instances[{index}]") for index, instance in enumerate(document.instances))
    return ClassifyRequest(sources, document.parameters.top_k, fingerprint=document.parameters.fingerprint)


def from_link(body: bytes) -> ClassifyRequest:
    """The plain form: `{"url": …, "top_k": …}`."""
    document = decode_json(_LINK_BODY, body)
    return ClassifyRequest((Link(document.url, URL),), document.top_k)


def from_v2(request: InferRequest) -> ClassifyRequest:
    """V2: one input, `image` BYTES `[N]` (base64 in JSON, else the photo's own bytes) or `url` BYTES `[N]`."""
    names = sorted(tensor.name for tensor in request.inputs)
    if names not in ([contract.INPUT], [URL]):
        raise mismatch("inputs", f"either {contract.INPUT!r} or {URL!r}", excerpt(", ".join(names)))
    (tensor,) = request.inputs
    if tensor.datatype != "BYTES":
        raise mismatch(f"input {tensor.name!r} datatype", "BYTES", tensor.datatype)
    if len(tensor.shape) != 1:
        raise mismatch(f"input {tensor.name!r} shape", "[N]", list(tensor.shape))
    _check_count(tensor.name, tensor.array)
    sources = tuple(_element(tensor, value, f"{tensor.name}[{index}]") for index, value in enumerate(tensor.array))
    return ClassifyRequest(sources, *_top_k(request), request.parameters.get(contract.FINGERPRINT))


def _top_k(request: InferRequest) -> tuple[Any, str]:
    """How many classes are asked for, and in which field: all outputs have as many."""
    top_k = request.parameters.get(TOP_K)
    asked = [output.parameters[contract.CLASSIFICATION] for output in request.outputs if wants_classes(output)]
    if not asked:
        return top_k, TOP_K
    if top_k is not None and top_k != asked[0]:
        raise mismatch(contract.CLASSIFICATION, f"{excerpt(top_k)}, the {TOP_K} of the request", excerpt(asked[0]))
    return asked[0], contract.CLASSIFICATION


def wants_classes(output: RequestedOutput) -> bool:
    return contract.CLASSIFICATION in output.parameters


def checked_top_k(request: ClassifyRequest, default: int, classes: int) -> int:
    """How many classes to name, from 1 to all; raises InvalidRequest that names the field and both limits."""
    if request.top_k is None:
        return min(default, classes)
    return checked_k(request.top_k, classes, request.top_k_field)


def _source(instance: _Instance, field: str) -> Source:
    given = [(key, value) for key in (*_IMAGE_KEYS, URL) if (value := getattr(instance, key)) is not UNSET]
    if len(given) != 1:
        raise mismatch(
            field, f"one of {', '.join(_IMAGE_KEYS)} and {URL}", " and ".join(key for key, _ in given) or "none"
        )
    ((key, value),) = given
    return Link(value, f"{field}.{URL}") if key == URL else Base64Photo(value.b64, f"{field}.{key}.b64")


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
