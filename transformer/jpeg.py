"""JPEG files read so that hostile metadata costs nothing: Pillow's decoder without its EXIF parser, after a budget."""

import re

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

MAX_SCANS = 100
"""A progressive photo has about ten. Each pass over 25 megapixels takes some 10 ms and may be only 64 bytes long."""

MAX_SEGMENTS = 500
"""A photo has some dozens, at most 255 more with a large colour profile. Pillow's time for EXIF ones grows as n^2."""

_END, _SCAN = 0xD9, 0xDA

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
    scans = segments = 0
    position = 2
    while (marker := _MARKER.search(data, position)) and marker[1][0] != _END:
        segments += 1
        scans += marker[1][0] == _SCAN
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            return f"more than {MAX_SCANS} scans" if scans > MAX_SCANS else f"more than {MAX_SEGMENTS} segments"
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return None
