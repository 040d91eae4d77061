import numpy as np
import pytest

from oip.datatypes import DTYPES, checked_datatype, datatype_of
from oip.errors import InvalidRequest

SIZES = {
    "BOOL": 1,
    "UINT8": 1,
    "UINT16": 2,
    "UINT32": 4,
    "UINT64": 8,
    "INT8": 1,
    "INT16": 2,
    "INT32": 4,
    "INT64": 8,
    "FP16": 2,
    "FP32": 4,
    "FP64": 8,
}


@pytest.mark.parametrize("datatype", SIZES)
def test_elements_have_the_sizes_of_the_specification(datatype: str) -> None:
    assert DTYPES[datatype].itemsize == SIZES[datatype]


def test_bytes_and_the_fixed_sizes_are_all_there_is() -> None:
    assert set(DTYPES) == {*SIZES, "BYTES"}


@pytest.mark.parametrize("datatype", DTYPES)
def test_each_numpy_type_is_named_back(datatype: str) -> None:
    assert datatype_of(DTYPES[datatype]) == datatype


@pytest.mark.parametrize("dtype", [np.dtype("c8"), np.dtype("S4"), np.dtype("M8[s]"), np.dtype(">f4")])
def test_a_numpy_type_without_a_name_is_an_error(dtype: np.dtype[np.generic]) -> None:
    with pytest.raises(TypeError, match="no datatype"):
        datatype_of(dtype)


@pytest.mark.parametrize("datatype", ["BF16", "fp32", "FLOAT", "", " FP32"])
def test_an_unknown_datatype_is_refused(datatype: str) -> None:
    with pytest.raises(InvalidRequest, match=r"input 'x' datatype: expected one of BOOL, .*BYTES, got "):
        checked_datatype("input 'x'", datatype)
