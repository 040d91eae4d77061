"""One tensor in the REST form: an object with `data`, or with `binary_data_size` and its bytes behind the JSON."""

from typing import Any

from numpy.typing import NDArray

from oip.datatypes import checked_datatype
from oip.document import JsonObject, read_list, read_object, read_parameters, read_string, required
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.names import check_distinct, checked_name
from oip.raw import array_from_raw, raw_from_tensor
from oip.shapes import Shape, checked_shape
from oip.tensor import Tensor
from oip.values import array_from_json, json_from_tensor

SIZE = "binary_data_size"


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


def read_tensors(kind: str, documents: list[object], binary: BinarySection) -> tuple[Tensor, ...]:
    """The tensors of `inputs` or `outputs` (`kind` is the singular), with distinct names and no binary data left."""
    tensors = tuple(_read_tensor(kind, f"{kind}s[{i}]", document, binary) for i, document in enumerate(documents))
    check_distinct(f"{kind}s", (tensor.name for tensor in tensors))
    binary.check_used_up()
    return tensors


def tensor_document(kind: str, tensor: Tensor, *, binary: bool) -> tuple[JsonObject, bytes | None]:
    """The tensor's object for orjson's numpy option and, when binary, the bytes that go behind the JSON."""
    document: JsonObject = {"name": tensor.name, "shape": list(tensor.shape), "datatype": tensor.datatype}
    raw = raw_from_tensor(tensor) if binary else None
    parameters = dict(tensor.parameters) | ({} if raw is None else {SIZE: len(raw)})
    if parameters:
        document["parameters"] = parameters
    if raw is None:
        document["data"] = json_from_tensor(f"{kind} {excerpt(tensor.name)}", tensor)
    return document, raw


def _read_tensor(kind: str, place: str, value: object, binary: BinarySection) -> Tensor:
    document = read_object(place, value)
    name = checked_name(place, read_string(f"{place} name", required(place, document, "name")))
    field = f"{kind} {excerpt(name)}"
    datatype = checked_datatype(field, read_string(f"{field} datatype", required(field, document, "datatype")))
    shape = checked_shape(field, read_list(f"{field} shape", required(field, document, "shape")))
    parameters = read_parameters(f"{field} parameters", document.get("parameters", {}))
    size = parameters.pop(SIZE, None)
    array = _read_array(field, document, datatype, shape, size, binary)
    return Tensor(name, datatype, array, parameters, from_json=size is None)


def _read_array(
    field: str, document: JsonObject, datatype: str, shape: Shape, size: object, binary: BinarySection
) -> NDArray[Any]:
    if (size is None) == ("data" not in document):
        raise mismatch(field, f"either 'data' or '{SIZE}'", "neither" if size is None else "both")
    if size is None:
        return array_from_json(field, datatype, shape, document["data"])
    return array_from_raw(field, datatype, shape, binary.take(field, size))
