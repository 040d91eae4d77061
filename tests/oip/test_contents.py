import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.contents import array_from_contents
from oip.errors import InvalidRequest
from oip.grpc import CONTENTS
from oip.inference_pb2 import InferTensorContents
from oip.tensor import Tensor
from tests.oip.strategies import arrays


def test_contents_become_the_tensor_that_they_say() -> None:
    array = array_from_contents("input 'x'", "INT16", (2, 2), [1, -2, 3, 4])
    assert (array.dtype, array.tolist()) == (np.dtype(np.int16), [[1, -2], [3, 4]])


def test_bytes_keep_their_zeros() -> None:
    assert array_from_contents("input 'x'", "BYTES", (2,), [b"a\0", b""]).tolist() == [b"a\0", b""]


def test_they_may_be_infinite() -> None:
    assert array_from_contents("input 'x'", "FP32", (1,), [np.inf]).tolist() == [np.inf]


def test_another_number_of_values_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^input 'x' data: expected 4 values for shape \[2, 2\], got 3$"):
        array_from_contents("input 'x'", "UINT8", (2, 2), [1, 2, 3])


@pytest.mark.parametrize(("values", "beyond"), [([0, -129], -129), ([-128, 127, 128], 128), ([127, -129, 300], -129)])
def test_the_first_value_beyond_the_datatype_is_refused(values: list[int], beyond: int) -> None:
    with pytest.raises(InvalidRequest, match=rf"^input 'x' data: expected INT8 from -128 to 127, got {beyond}$"):
        array_from_contents("input 'x'", "INT8", (len(values),), values)


def test_a_tensor_of_no_values_has_its_datatype() -> None:
    array = array_from_contents("input 'x'", "INT16", (2, 0), [])
    assert (array.dtype, array.tolist()) == (np.dtype(np.int16), [[], []])


@pytest.mark.parametrize("datatype", sorted(CONTENTS))
@given(data=st.data())
def test_typed_contents_of_any_tensor_read_back_to_it(datatype: str, data: st.DataObject) -> None:
    original = Tensor("x", datatype, data.draw(arrays(datatype, as_json=False)))
    contents = InferTensorContents(**{CONTENTS[datatype]: original.array.reshape(-1).tolist()})
    values = getattr(contents, CONTENTS[datatype])
    back = Tensor("x", datatype, array_from_contents("input 'x'", datatype, original.shape, values))
    assert np.array_equal(back.array, original.array, equal_nan=datatype.startswith("FP"))
    assert back.array.dtype == original.array.dtype


def test_many_values_keep_their_order() -> None:
    values = np.arange(200_000, dtype=np.uint32)
    contents = InferTensorContents(uint_contents=values.tolist())
    assert (array_from_contents("input 'x'", "UINT32", (200_000,), contents.uint_contents) == values).all()
