"""Pictures in code: whatever Pillow can save, and PNG and JPEG files that it cannot."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

Pixel = tuple[int, int, int]


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def pixels(image: Image.Image) -> list[Pixel]:
    """Row after row."""
    return [(int(red), int(green), int(blue)) for red, green, blue in np.asarray(image).reshape(-1, 3)]


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(size: tuple[int, int], depth: int, colour_type: int, row: bytes, *chunks: bytes) -> bytes:
    """A PNG of equal rows; without any when `row` is empty."""
    width, height = size
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    lines = (b"\0" + row) * height if row else b""
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def segment(marker: int, payload: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(payload) + 2) + payload


def exif(*entries: tuple[int, int, int, int], order: str = "<") -> bytes:
    """A TIFF block of one directory of (tag, type, count, value), the value a SHORT."""
    header = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    directory = struct.pack(f"{order}H", len(entries))
    return header + directory + b"".join(struct.pack(f"{order}HHIHxx", *entry) for entry in entries) + bytes(4)


def turned(orientation: int, order: str = "<") -> bytes:
    """EXIF that states an orientation."""
    return exif((0x010F, 3, 1, 7), (0x0112, 3, 1, orientation), order=order)
