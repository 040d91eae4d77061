"""One tensor in the REST form: an object with `data`, or with `binary_data_size` and its bytes behind the JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.json import Decoder
from numpy.typing import NDArray

from oip.datatypes import checked_datatype
from oip.document import Json, decode_json, is_given, read_parameters
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.json_data import array_from_json, json_from_tensor
from oip.names import check_distinct, check_number, checked_name
from oip.raw import array_from_raw, raw_from_tensor
from oip.shapes import Shape, checked_shape, most_elements
from oip.shared_memory import check_not_shared
from oip.tensor import Tensor

SIZE = "binary_data_size"


class TensorDocument(msgspec.Struct, gc=False):
    """The object as it came; `parameters` and `data` may be missing."""

    name: str
    datatype: Json
    shape: Json
    parameters: Json = Json()
    data: Json = Json()


_TEXT = Decoder(str)
_INTEGERS = Decoder(list[int])


class BinarySection:
    """The bytes behind a body's JSON: its tensors take them in the order of the JSON, and all of them."""

    def __init__(self, data: memoryview) -> None:
        self._left = data

    def take(self, field: str, size: object) -> memoryview:
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(self._left):
            raise mismatch(f"{field} {SIZE}", f"0 to {len(self._left)}, the bytes left in the body", excerpt(size))
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def check_used_up(self) -> None:
        if self._left:
            raise mismatch("body", "no bytes after the last tensor", len(self._left))


def read_tensors(kind: str, documents: Sequence[TensorDocument], binary: BinarySection) -> tuple[Tensor, ...]:
    """The tensors of `inputs` or `outputs` (`kind` is the singular), with distinct names and no binary data left."""
    check_number(f"{kind}s", len(documents))
    tensors = tuple(_read_tensor(kind, f"{kind}s[{i}]", document, binary) for i, document in enumerate(documents))
    check_distinct(f"{kind}s", (tensor.name for tensor in tensors))
    binary.check_used_up()
    return tensors


def tensor_document(kind: str, tensor: Tensor, *, binary: bool) -> tuple[dict[str, object], bytes | memoryview | None]:
    """The tensor's object for orjson's numpy option and, when binary, the bytes that go behind the JSON."""
    document: dict[str, object] = {"name": tensor.name, "shape": list(tensor.shape), "datatype": tensor.datatype}
    raw = raw_from_tensor(tensor) if binary else None
    parameters = dict(tensor.parameters) | ({} if raw is None else {SIZE: len(raw)})
    if parameters:
        document["parameters"] = parameters
    if raw is None:
        document["data"] = json_from_tensor(f"{kind} {excerpt(tensor.name)}", tensor)
    return document, raw


def _read_tensor(kind: str, place: str, document: TensorDocument, binary: BinarySection) -> Tensor:
    field = f"{kind} {excerpt(checked_name(place, document.name))}"
    datatype = checked_datatype(field, decode_json(_TEXT, document.datatype, f"{field} datatype"))
    dimensions = decode_json(_INTEGERS, document.shape, f"{field} shape")
    shape = checked_shape(field, dimensions, most_elements(kind, datatype))
    parameters = read_parameters(f"{field} parameters", document.parameters)
    check_not_shared(f"{field} parameters", parameters)
    size = parameters.pop(SIZE, None)
    array = _read_array(field, document.data, datatype, shape, size, binary)
    return Tensor(document.name, datatype, array, parameters, from_json=size is None)


def _read_array(
    field: str, data: Json, datatype: str, shape: Shape, size: object, binary: BinarySection
) -> NDArray[Any]:
    if (size is None) != is_given(data):
        raise mismatch(field, f"either 'data' or '{SIZE}'", "neither" if size is None else "both")
    if size is None:
        return array_from_json(field, datatype, shape, data)
    return array_from_raw(field, datatype, shape, binary.take(field, size))
