"""Bytes of a photo to RGB pixels as a person sees them; whatever the bytes are, the answer is pixels or a clear error.

Colour profiles (ICC) are ignored, embedded CMYK ones too, as by the pipelines that the models were trained with.
"""

import re
import struct
import sys
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import numpy as np
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Transpose
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from serving.errors import BadInput, Refused, UnsupportedMedia
from transformer.exif import orientation
from transformer.jpeg import JpegFile, excess, scalable

# What Pillow would print about a file becomes an error of that file. Set once: changing filters around each call,
# as with warnings.catch_warnings, is not safe in threads.
warnings.filterwarnings("error", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

# No TIFF: no browser shows it, and libtiff's many codecs are a large part of the advisories against Pillow.
_READERS: tuple[tuple[re.Pattern[bytes], type[ImageFile.ImageFile]], ...] = (
    (re.compile(rb"\xff\xd8\xff"), JpegFile),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    (re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL), WebPImageFile),
    (re.compile(rb"GIF8[79]a"), GifImageFile),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), BmpImageFile),
)

FORMATS = tuple(str(reader.format) for _, reader in _READERS)
"""What photos may be, by Pillow's names."""

_DAMAGED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    UserWarning,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers raise on truncated and malformed files; hardly any of it is documented, so the net is
wide, and nothing but Pillow and the lines of this module runs inside it."""

_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}

# What each turn does to a coordinate: first it may be counted from the other end, then the two may be swapped.
_FROM_RIGHT_TO_LEFT = {Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.ROTATE_90, Transpose.TRANSVERSE}
_FROM_BOTTOM_TO_TOP = {Transpose.FLIP_TOP_BOTTOM, Transpose.ROTATE_180, Transpose.ROTATE_270, Transpose.TRANSVERSE}
_ON_ITS_SIDE = {Transpose.TRANSPOSE, Transpose.TRANSVERSE, Transpose.ROTATE_90, Transpose.ROTATE_270}

_GREY_8_OF_16 = ((np.arange(2**16, dtype=np.uint32) + 128) // 257).astype(np.uint8)
"""The nearest 8-bit value of each 16-bit one: v * 255 / 65535, rounded."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large a picture may be.

    Reading one takes at most 4 (JPEG, PNG, GIF), 7 (progressive JPEG) or 16 bytes a pixel (WebP, at 25 megapixels
    400 MB), and transparency, 16-bit grey and turning upright 4 to 8 more.
    """

    max_pixels: int = 25_000_000

    def __post_init__(self) -> None:
        highest = Image.MAX_IMAGE_PIXELS or sys.maxsize
        if not 1 <= self.max_pixels <= highest:
            raise ValueError(
                f"max_pixels: expected 1 to {highest} (where Pillow suspects a bomb), got {self.max_pixels}"
            )


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo in mode RGB, upright: `box` (left, top, right, bottom) of `rgb` shows the file's `size` pixels.

    The box is all of `rgb`, and of that size, unless a fraction of the size was decoded: then it may begin or end
    inside a pixel.
    """

    rgb: Image.Image
    size: tuple[int, int]
    box: tuple[float, float, float, float]

    @classmethod
    def whole(cls, rgb: Image.Image) -> Self:
        return cls(rgb, rgb.size, (0, 0, *rgb.size))

    def turned(self, turn: Transpose) -> Self:
        rgb, (width, height), (left, top, right, bottom) = self.rgb, self.size, self.box
        if turn in _FROM_RIGHT_TO_LEFT:
            left, right = rgb.width - right, rgb.width - left
        if turn in _FROM_BOTTOM_TO_TOP:
            top, bottom = rgb.height - bottom, rgb.height - top
        if turn in _ON_ITS_SIDE:
            width, height, left, top, right, bottom = height, width, top, left, bottom, right
        return type(self)(rgb.transpose(turn), (width, height), (left, top, right, bottom))


def decode(data: bytes, limits: ImageLimits, field: str = "image", enough: int | None = None) -> Picture:
    """The photo in `data`, upright by its EXIF orientation, on white where it is transparent.

    Formats: JPEG (of an MPO file the first picture), PNG, WebP, GIF and BMP, told by their content alone. Size and
    number of frames are judged from the headers, before a pixel is decoded. With `enough`, a JPEG is decoded at 1/2,
    1/4 or 1/8 of its size, where that leaves both edges at least `enough` pixels long. `field` names the place in
    error texts.

    Raises BadInput (empty, truncated, damaged), UnsupportedMedia (anything else than those formats, and run-length
    encoded BMP) and Refused (more pixels than `limits` allow, an animation, a JPEG built to take long).
    """
    reader = _reader(data, field)
    try:
        image = reader(BytesIO(data))
        _judge(image, limits, field)
        size = image.size
        box = _scale_down(image, data, enough) if enough else (0, 0, *size)
        image.load()
        _rescale_transparent_colour(image, data)
        return _upright(Picture(to_rgb(image), size, box), image.info.get("exif"))
    except _BOMBS:
        raise _too_many_pixels(field, limits, f"more than {Image.MAX_IMAGE_PIXELS}") from None
    except _DAMAGED as error:
        raise BadInput(
            f"{field}: expected a complete {reader.format} picture, got one that cannot be decoded"
        ) from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Mode RGB, composited on white, of any mode that the readers give (none gives 32-bit integers or floats).

    16-bit grey is scaled to 8 bits by rounding. Of 16-bit colour Pillow's reader has already kept the high byte, at
    most one level below the rounded value.
    """
    if image.mode == "I;16":
        return _grey_16_to_rgb(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    straight = image.convert("LA") if image.mode == "La" else image  # Pillow has no way from La to RGBA
    rgba = straight if straight.mode == "RGBA" else straight.convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(rgba, mask=rgba)
    return paper


def _reader(data: bytes, field: str) -> type[ImageFile.ImageFile]:
    if not data:
        raise BadInput(f"{field}: expected a picture, got 0 bytes")
    for magic, reader in _READERS:
        if magic.match(data):
            if reader is JpegFile and (too_much := excess(data)):
                raise Refused(f"{field}: expected a JPEG as cameras write them, got {too_much}")
            return reader
    raise UnsupportedMedia(
        f"{field}: expected a JPEG, PNG, WebP, GIF or BMP picture, got {len(data)} bytes of another kind"
    )


def _judge(image: ImageFile.ImageFile, limits: ImageLimits, field: str) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise _too_many_pixels(field, limits, f"{width * height} ({width}x{height})")
    # Pillow knows an animated GIF at its second frame; counting them all would take seconds for a hostile one.
    if getattr(image, "is_animated", False):
        raise Refused(f"{field}: expected a picture of one frame, got an animation of several")
    # Pillow decodes these in Python, a pixel at a time: 21 kB of 25 megapixels took 2.4 s.
    if isinstance(image, BmpImageFile) and image.tile[0].codec_name == "bmp_rle":
        raise UnsupportedMedia(f"{field}: expected an uncompressed BMP picture, got a run-length encoded one")


def _scale_down(image: ImageFile.ImageFile, data: bytes, enough: int) -> tuple[float, float, float, float]:
    """Let libjpeg make the picture smaller while it decodes; returns where in that one the picture will be."""
    drafted = image.draft(None, (enough, enough)) if isinstance(image, JpegFile) and scalable(data) else None
    return drafted[1] if drafted else (0, 0, *image.size)


def _too_many_pixels(field: str, limits: ImageLimits, given: str) -> Refused:
    return Refused(f"{field}: expected at most {limits.max_pixels} pixels, got {given}")


def _rescale_transparent_colour(image: ImageFile.ImageFile, data: bytes) -> None:
    """Bring the transparent colour of a PNG (tRNS) from the file's bit depth to the 8 bits of Pillow's pixels."""
    if not isinstance(image, PngImageFile) or "transparency" not in image.info:
        return
    depth, colour = data[24], image.info["transparency"]
    if image.mode == "L" and depth < 8:
        image.info["transparency"] = colour * 255 // (2**depth - 1)
    elif image.mode == "RGB" and depth == 16:
        image.info["transparency"] = tuple(channel >> 8 for channel in colour)


def _grey_16_to_rgb(image: Image.Image) -> Image.Image:
    grey = np.asarray(image)
    scaled = _GREY_8_OF_16[grey]
    if "transparency" in image.info:
        scaled[grey == image.info["transparency"]] = 255
    return Image.fromarray(scaled).convert("RGB")


def _upright(picture: Picture, exif: object) -> Picture:
    """Not ImageOps.exif_transpose: it parses, and writes back, every tag of what may be hostile EXIF."""
    turn = _TURNS.get(orientation(exif)) if isinstance(exif, bytes) else None
    return picture if turn is None else picture.turned(turn)
