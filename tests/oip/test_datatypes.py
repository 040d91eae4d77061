import pytest

from oip.datatypes import DTYPES, checked_datatype
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


@pytest.mark.parametrize("datatype", ["BF16", "fp32", "FLOAT", "", " FP32"])
def test_an_unknown_datatype_is_refused(datatype: str) -> None:
    with pytest.raises(InvalidRequest, match=r"input 'x' datatype: expected one of BOOL, .*BYTES, got "):
        checked_datatype("input 'x'", datatype)
