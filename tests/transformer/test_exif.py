import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transformer.pictures import exif, turned
from transformer.exif import orientation

SHORT, LONG, ORIENTATION = 3, 4, 0x0112


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
def test_the_orientation_is_read_in_either_byte_order(value: int, order: str) -> None:
    assert orientation(turned(value, order)) == value


def test_the_prefix_of_jpeg_and_png_is_skipped() -> None:
    assert orientation(b"Exif\0\0" + turned(6)) == 6


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"II*\0",
        b"not a TIFF header",
        exif(),
        exif((0x010F, SHORT, 1, 6)),
        turned(0),
        turned(9),
        turned(65535),
        exif((ORIENTATION, LONG, 1, 6)),
        exif((ORIENTATION, SHORT, 2, 6)),
        turned(6)[:-20],
        b"II*\0" + struct.pack("<I", 2**32 - 1),
        b"II*\0" + struct.pack("<IH", 8, 65535),
        b"II*\0" + struct.pack("<I", 0),
    ],
)
def test_a_block_without_a_possible_orientation_leaves_the_picture_as_it_is(block: bytes) -> None:
    assert orientation(block) == 1


@given(st.binary(max_size=200), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_any_bytes_give_an_orientation(block: bytes, header: bytes) -> None:
    assert 1 <= orientation(header + block) <= 8
