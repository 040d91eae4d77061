"""The one EXIF field that changes how a photo looks."""

import struct

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION, _SHORT = 0x0112, 3


def orientation(exif: bytes) -> int:
    """How the stored picture is to be turned, 1 (not at all) to 8, by the numbers of EXIF 2.32, section 4.6.4.

    `exif` is a TIFF header and its directories, with or without the JPEG prefix. As in a browser, the first directory
    alone counts, and a block that is malformed or holds an impossible value says nothing: 1.
    """
    try:
        value = _find(exif.removeprefix(b"Exif\0\0"))
    except struct.error:
        return 1
    return value if 1 <= value <= 8 else 1


def _find(tiff: bytes) -> int:
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return 1
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for entry in range(entries):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + 12 * entry)
        if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
            return int(value)
    return 1
