"""JPEG files read so that hostile metadata costs nothing: Pillow's decoder without its EXIF parser, after a budget."""

import re
from collections.abc import Iterator

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

MAX_SCANS = 100
"""A progressive photo has about ten. Each pass over 25 megapixels takes some 10 ms and may be only 64 bytes long."""

MAX_SEGMENTS = 500
"""A photo has some dozens, at most 255 more with a large colour profile. Pillow's time for EXIF ones grows as n^2."""

_END, _SCAN = 0xD9, 0xDA

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that begin a frame, and tell how its pixels are coded (ITU-T T.81, table B.1)."""

_DCT_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Baseline, extended and progressive, and the arithmetic-coded two. The others are lossless or hierarchical."""

# A 0xFF that is neither stuffing (00), TEM, a restart marker nor fill: ITU-T T.81, B.1.1.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")


class JpegFile(JpegImageFile):
    """The first picture of a JPEG or MPO file; its EXIF stays in `info["exif"]`, unread.

    Pillow parses EXIF while it opens a JPEG, to learn the DPI, and warns once for every odd tag in it.
    """

    def getexif(self) -> Image.Exif:
        """An empty one."""
        return Image.Exif()


def excess(data: bytes) -> str | None:
    """What this JPEG has so much of that its pixels no longer bound its decoding time; None for one from a camera."""
    scans = 0
    for segments, marker in enumerate(_markers(data), start=1):
        scans += marker == _SCAN
        if scans > MAX_SCANS:
            return f"more than {MAX_SCANS} scans"
        if segments > MAX_SEGMENTS:
            return f"more than {MAX_SEGMENTS} segments"
    return None


def scalable(data: bytes) -> bool:
    """Whether a fraction of the size can be decoded: libjpeg takes it from DCT blocks, which lossless JPEG lacks."""
    return next((marker for marker in _markers(data) if marker in _FRAMES), None) in _DCT_FRAMES


def _markers(data: bytes) -> Iterator[int]:
    """Second bytes of the markers up to the end of the first picture, whatever lies inside their segments."""
    position = 2
    while (found := _MARKER.search(data, position)) and (marker := found[1][0]) != _END:
        yield marker
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
