import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.Image import Transpose
from PIL.PngImagePlugin import PngInfo

from serving.errors import BadInput, Refused, ServiceError, UnsupportedMedia
from tests.assets import PHOTOS, needs_assets
from tests.transformer.pictures import Pixel, chunk, noise, pixels, png, saved, segment, turned
from transformer.image import ImageLimits, Picture, decode, to_rgb

LIMITS = ImageLimits()
EXIF = b"Exif\0\0"
BLACK, WHITE, RED = (0, 0, 0), (255, 255, 255), (255, 0, 0)

# Transparent red, half transparent red, quarter opaque black, opaque.
RGBA = Image.frombytes("RGBA", (4, 1), bytes([255, 0, 0, 0, 255, 0, 0, 128, 0, 0, 0, 64, 1, 2, 3, 255]))
ON_WHITE: list[Pixel] = [WHITE, (255, 127, 127), (191, 191, 191), (1, 2, 3)]
RGB = Image.frombytes("RGB", (2, 1), bytes([10, 20, 30, 200, 100, 50]))
RGB_PIXELS: list[Pixel] = [(10, 20, 30), (200, 100, 50)]


def palette(*indices: int, mode: str = "P") -> Image.Image:
    picture = Image.frombytes(mode, (len(indices) // len(mode), 1), bytes(indices))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    return picture


def flat_jpeg(mode: str, colour: int | tuple[int, ...], **options: object) -> bytes:
    return saved(Image.new(mode, (8, 8), colour), "JPEG", quality=100, subsampling=0, **options)


def ycck_jpeg(colour: tuple[int, int, int, int]) -> bytes:
    """A JPEG of these components, as Photoshop writes them: YCC of the inks, K inverted, transform 2 in its marker."""
    inverted = tuple(255 - component for component in colour)
    cmyk = flat_jpeg("CMYK", inverted)
    transform = cmyk.index(b"Adobe") + 11
    return cmyk[:transform] + b"\2" + cmyk[transform + 1 :]


def without_adobe_marker(jpeg: bytes) -> bytes:
    name = jpeg.index(b"Adobe")
    return jpeg[: name - 4] + jpeg[name + 12 :]


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def transparent(*colour: int) -> bytes:
    return chunk(b"tRNS", words(*colour))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(saved(Image.frombytes("1", (2, 1), b"\x40"), "PNG"), [BLACK, WHITE], id="1 bit PNG"),
        pytest.param(saved(Image.frombytes("1", (2, 1), b"\x40"), "BMP"), [BLACK, WHITE], id="1 bit BMP"),
        pytest.param(saved(Image.new("L", (1, 1), 77), "PNG"), [(77, 77, 77)], id="L PNG"),
        pytest.param(saved(Image.new("L", (1, 1), 77), "BMP"), [(77, 77, 77)], id="L BMP"),
        pytest.param(saved(Image.new("L", (1, 1), 77), "GIF"), [(77, 77, 77)], id="L GIF"),
        pytest.param(png((2, 1), 2, 0, b"\x60"), [(85, 85, 85), (170, 170, 170)], id="2 bit grey PNG"),
        pytest.param(saved(RGB, "PNG"), RGB_PIXELS, id="RGB PNG"),
        pytest.param(saved(RGB, "BMP"), RGB_PIXELS, id="RGB BMP"),
        pytest.param(saved(RGB, "WEBP", lossless=True), RGB_PIXELS, id="RGB WebP"),
        pytest.param(saved(palette(0, 1), "PNG"), RGB_PIXELS, id="P PNG"),
        pytest.param(saved(palette(0, 1), "GIF"), RGB_PIXELS, id="P GIF"),
        pytest.param(saved(palette(0, 1), "BMP"), RGB_PIXELS, id="P BMP"),
        pytest.param(png((2, 1), 8, 3, b"\0\1", chunk(b"PLTE", bytes(3))), [BLACK, BLACK], id="index outside palette"),
    ],
)
def test_an_opaque_picture_keeps_its_colours(data: bytes, expected: list[Pixel]) -> None:
    assert pixels(decode(data, LIMITS).rgb) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(saved(RGBA, "PNG"), ON_WHITE, id="RGBA PNG"),
        pytest.param(saved(RGBA, "WEBP", lossless=True, exact=True), ON_WHITE, id="RGBA WebP"),
        pytest.param(png((2, 1), 8, 4, b"\0\0\x32\x80"), [WHITE, (152, 152, 152)], id="LA PNG"),
        pytest.param(png((1, 1), 16, 4, words(0x80FF, 0)), [WHITE], id="16 bit LA PNG"),
        pytest.param(png((1, 1), 16, 6, words(0xFFFF, 0, 0, 0x8000)), [(255, 127, 127)], id="16 bit RGBA PNG"),
        pytest.param(saved(palette(0, 1), "PNG", transparency=1), [(10, 20, 30), WHITE], id="P PNG, one colour"),
        pytest.param(
            saved(palette(0, 1), "PNG", transparency=b"\xff\x80"), [(10, 20, 30), (227, 177, 152)], id="P PNG, alphas"
        ),
        pytest.param(saved(palette(0, 1), "GIF", transparency=1), [(10, 20, 30), WHITE], id="P GIF"),
        pytest.param(saved(Image.new("L", (1, 1), 7), "GIF", transparency=7), [WHITE], id="L GIF"),
        pytest.param(saved(RGB, "PNG", transparency=(10, 20, 30)), [WHITE, (200, 100, 50)], id="RGB PNG, tRNS"),
        pytest.param(png((2, 1), 8, 0, b"\5\6", transparent(5)), [WHITE, (6, 6, 6)], id="L PNG, tRNS"),
        pytest.param(png((2, 1), 1, 0, b"\x40", transparent(0)), [WHITE, WHITE], id="1 bit PNG, tRNS"),
        pytest.param(png((2, 1), 2, 0, b"\x60", transparent(1)), [WHITE, (170, 170, 170)], id="2 bit PNG, tRNS"),
        pytest.param(png((2, 1), 4, 0, b"\x5a", transparent(5)), [WHITE, (170, 170, 170)], id="4 bit PNG, tRNS"),
        pytest.param(png((2, 1), 16, 0, words(256, 514), transparent(256)), [WHITE, (2, 2, 2)], id="16 bit PNG, tRNS"),
        pytest.param(
            png((2, 1), 16, 2, words(0x1234, 0x1234, 0x1234, 0, 0, 0), transparent(0x1234, 0x1234, 0x1234)),
            [WHITE, BLACK],
            id="16 bit RGB PNG, tRNS",
        ),
    ],
)
def test_transparency_shows_white(data: bytes, expected: list[Pixel]) -> None:
    assert pixels(decode(data, LIMITS).rgb) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(Image.frombytes("La", (1, 1), b"\x32\x64"), [(205, 205, 205)], id="La"),
        pytest.param(Image.frombytes("RGBa", (1, 1), bytes([64, 0, 0, 128])), [(191, 127, 127)], id="RGBa"),
        pytest.param(palette(0, 255, 1, 128, mode="PA"), [(10, 20, 30), (227, 177, 152)], id="PA"),
    ],
)
def test_modes_that_no_file_gives_show_white_too(image: Image.Image, expected: list[Pixel]) -> None:
    assert pixels(to_rgb(image)) == expected


@pytest.mark.parametrize(
    ("value", "grey"), [(0, 0), (128, 0), (129, 1), (200, 1), (32768, 128), (60000, 233), (65406, 254), (65535, 255)]
)
def test_16_bit_grey_is_scaled_and_rounded(value: int, grey: int) -> None:
    assert pixels(decode(png((1, 1), 16, 0, words(value)), LIMITS).rgb) == [(grey, grey, grey)]


def test_16_bit_colour_keeps_its_high_bytes() -> None:
    assert pixels(decode(png((1, 1), 16, 2, words(0x80FF, 0x00FF, 0xFFFF)), LIMITS).rgb) == [(128, 0, 255)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(flat_jpeg("L", 77), (77, 77, 77), id="grey"),
        pytest.param(flat_jpeg("RGB", (200, 100, 50)), (200, 100, 50), id="YCbCr"),
        pytest.param(flat_jpeg("RGB", (200, 100, 50), keep_rgb=True), (200, 100, 50), id="RGB"),
        pytest.param(flat_jpeg("CMYK", (0, 0, 0, 0)), WHITE, id="CMYK paper"),
        pytest.param(flat_jpeg("CMYK", (255, 0, 0, 0)), (0, 255, 255), id="CMYK cyan"),
        pytest.param(flat_jpeg("CMYK", (0, 255, 0, 0)), (255, 0, 255), id="CMYK magenta"),
        pytest.param(flat_jpeg("CMYK", (0, 0, 255, 0)), (255, 255, 0), id="CMYK yellow"),
        pytest.param(flat_jpeg("CMYK", (0, 0, 0, 255)), BLACK, id="CMYK black"),
        pytest.param(flat_jpeg("CMYK", (0, 255, 255, 128)), (127, 0, 0), id="CMYK dark red"),
        pytest.param(without_adobe_marker(flat_jpeg("CMYK", (255, 0, 0, 0))), (0, 255, 255), id="CMYK, not Adobe"),
        pytest.param(ycck_jpeg((0, 128, 128, 255)), WHITE, id="YCCK paper"),
        pytest.param(ycck_jpeg((255, 128, 128, 255)), BLACK, id="YCCK black of three inks"),
        pytest.param(ycck_jpeg((0, 128, 128, 0)), BLACK, id="YCCK black"),
        pytest.param(ycck_jpeg((179, 171, 0, 255)), RED, id="YCCK red"),
        pytest.param(ycck_jpeg((226, 0, 149, 255)), (0, 0, 255), id="YCCK blue"),
    ],
)
def test_a_jpeg_of_any_colour_space_has_the_right_colours(data: bytes, expected: Pixel) -> None:
    assert set(pixels(decode(data, LIMITS).rgb)) == {expected}


@needs_assets
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png"])
def test_a_photo_decodes_to_its_own_pixels(name: str) -> None:
    with Image.open(PHOTOS / name) as photo:
        assert pixels(decode((PHOTOS / name).read_bytes(), LIMITS).rgb) == pixels(photo.convert("RGB"))


# The stored picture shows the letters "abc" above "def"; a letter is a grey block of 8 x 8 pixels.
LETTERS = {letter: 20 + 40 * index for index, letter in enumerate("abcdef")}
STORED = Image.fromarray(
    np.kron(np.array([[LETTERS[letter] for letter in row] for row in ("abc", "def")]), np.ones((8, 8))).astype(np.uint8)
)
SHOWN = {
    1: ["abc", "def"],
    2: ["cba", "fed"],
    3: ["fed", "cba"],
    4: ["def", "abc"],
    5: ["ad", "be", "cf"],
    6: ["da", "eb", "fc"],
    7: ["fc", "eb", "da"],
    8: ["cf", "be", "ad"],
}


def read_letters(image: Image.Image) -> list[str]:
    greys = np.asarray(image)[4::8, 4::8, 0].astype(int)
    return ["".join(min(LETTERS, key=lambda letter: abs(LETTERS[letter] - grey)) for grey in row) for row in greys]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_a_photo_is_turned_upright(orientation: int, file_format: str) -> None:
    data = saved(STORED.convert("RGB"), file_format, exif=EXIF + turned(orientation), quality=95)
    assert read_letters(decode(data, LIMITS).rgb) == SHOWN[orientation]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_a_picture_of_any_mode_is_turned_upright(mode: str) -> None:
    stored = STORED.convert("RGBA").convert(mode) if mode in ("P", "RGBA") else STORED.convert(mode)
    assert decode(saved(stored, "PNG", exif=EXIF + turned(6)), LIMITS).size == (16, 24)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"not a TIFF block",
        turned(6)[:-20],
        turned(0),
        turned(9),
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        # One warning of Pillow's for each of these tags: their data lie outside the block.
        b"II*\0\x08\0\0\0\xe8\3" + b"".join(struct.pack("<HHII", 1000 + tag, 1, 10**6, 8) for tag in range(1000)),
    ],
)
def test_a_photo_with_broken_exif_is_shown_as_stored(exif: bytes, file_format: str) -> None:
    assert read_letters(decode(saved(STORED, file_format, exif=EXIF + exif), LIMITS).rgb) == SHOWN[1]


def test_a_png_text_named_exif_is_not_exif() -> None:
    text = PngInfo()
    text.add_text("exif", "II*")
    assert read_letters(decode(saved(STORED, "PNG", pnginfo=text), LIMITS).rgb) == SHOWN[1]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_changes_nothing_even_a_broken_one(file_format: str) -> None:
    plain, profiled = saved(RGB, file_format), saved(RGB, file_format, icc_profile=b"no profile" * 50)
    assert pixels(decode(profiled, LIMITS).rgb) == pixels(decode(plain, LIMITS).rgb)


def test_the_first_picture_of_a_phones_mpo_file_is_read() -> None:
    mpo = saved(Image.new("RGB", (8, 8), RED), "MPO", save_all=True, append_images=[noise(16, 16)])
    assert set(pixels(decode(mpo, LIMITS).rgb)) == {(254, 0, 0)}


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("JPEG", {"progressive": True}), ("PNG", {"interlace": 1}), ("GIF", {"interlace": 1}), ("WEBP", {"quality": 1})],
)
def test_the_kinds_of_a_format_are_read(file_format: str, options: dict[str, int]) -> None:
    assert decode(saved(noise(50, 40), file_format, **options), LIMITS).size == (50, 40)


def test_bytes_behind_the_picture_are_ignored() -> None:
    assert decode(saved(RGB, "PNG") + b"<script>", LIMITS).size == (2, 1)


def test_no_bytes_are_bad_input() -> None:
    with pytest.raises(BadInput, match=r"^image: expected a picture, got 0 bytes$"):
        decode(b"", LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a", id="one byte"),
        pytest.param(b"hello, this is text", id="text"),
        pytest.param(b"BM is how this text starts, too", id="text that starts as a BMP"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", id="sound"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', id="SVG"),
        pytest.param(b"%PDF-1.7\n", id="PDF"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0", id="EPS"),
        pytest.param(b"<!DOCTYPE html>", id="HTML"),
        pytest.param(b"\x8c\x11" * 500, id="random"),
        pytest.param(b"\0" * 1000, id="zeros"),
        *(pytest.param(saved(RGB, kind), id=kind) for kind in ("TIFF", "ICO", "PPM", "TGA", "JPEG2000", "PCX")),
    ],
)
def test_what_is_no_picture_of_our_formats_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia) as refusal:
        decode(data, LIMITS)
    assert refusal.value.message == (
        f"image: expected a JPEG, PNG, WebP, GIF or BMP picture, got {len(data)} bytes of another kind"
    )


FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP"]


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_truncated_file_is_bad_input(file_format: str, share: float) -> None:
    whole = saved(noise(50, 40), file_format)
    with pytest.raises(BadInput) as refusal:
        decode(whole[: int(len(whole) * share)], LIMITS)
    assert refusal.value.message == (
        f"image: expected a complete {file_format} picture, got one that cannot be decoded"
    )


def bomb_in_a_text_chunk() -> bytes:
    return png((1, 1), 8, 0, b"\0", chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10**7))))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png((1, 1), 8, 0, b""), id="PNG without pixels"),
        pytest.param(png((0, 1), 8, 0, b"\0"), id="PNG of width 0"),
        pytest.param(png((1, 1), 8, 3, b"\0"), id="PNG without its palette"),
        pytest.param(png((1, 1), 7, 0, b"\0"), id="PNG of 7 bits"),
        pytest.param(png((1, 1), 8, 0, b"\0").replace(b"IDAT", b"IDAX"), id="PNG with a wrong chunk"),
        pytest.param(png((1, 1), 8, 0, b"\0", chunk(b"acTL", bytes(8))), id="APNG of no frames"),
        pytest.param(png((1, 1), 8, 2, b"\0\0\0", chunk(b"tEXt", b"transparency\0red")), id="text as a colour"),
        pytest.param(bomb_in_a_text_chunk(), id="PNG with a bomb in a text"),
        pytest.param(png((1, 1), 8, 0, b"\0", chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(10**7)))), id="iCCP bomb"),
        pytest.param(saved(RGB, "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), id="12 bit JPEG"),
        pytest.param(b"\xff\xd8\xff\xd9", id="JPEG of nothing"),
        pytest.param(saved(RGB, "WEBP")[:16] + bytes(40), id="WebP of zeros"),
        pytest.param(b"GIF89a\1\0\1\0\0\0\0;", id="GIF without a frame"),
    ],
)
def test_a_malformed_file_is_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput, match="cannot be decoded"):
        decode(data, LIMITS)


def with_size(data: bytes, offset: int, layout: str, size: tuple[int, int]) -> bytes:
    """The file with another size in its header."""
    return data[:offset] + struct.pack(layout, *size) + data[offset + struct.calcsize(layout) :]


def huge_png(width: int, height: int) -> bytes:
    return png((width, height), 8, 2, b"")


def huge_jpeg(width: int, height: int) -> bytes:
    data = saved(RGB, "JPEG")
    return with_size(data, data.index(b"\xff\xc0") + 5, ">HH", (height, width))


def huge_webp(width: int, height: int) -> bytes:
    data = saved(RGB, "WEBP", lossless=True)
    return data[:21] + struct.pack("<I", (height - 1) << 14 | (width - 1)) + data[25:]


def huge_gif(width: int, height: int) -> bytes:
    return with_size(saved(RGB, "GIF"), 6, "<HH", (width, height))


def huge_gif_frame(width: int, height: int) -> bytes:
    data = saved(RGB, "GIF")
    return with_size(data, data.index(b",\0\0\0\0") + 5, "<HH", (width, height))


def huge_bmp(width: int, height: int) -> bytes:
    return with_size(saved(RGB, "BMP"), 18, "<II", (width, height))


HUGE = [huge_png, huge_jpeg, huge_webp, huge_gif, huge_gif_frame, huge_bmp]


@pytest.mark.parametrize("build", HUGE)
@pytest.mark.parametrize("size", [(5001, 5000), (9000, 9000)])
def test_too_many_pixels_are_refused_from_the_header(build: Callable[[int, int], bytes], size: tuple[int, int]) -> None:
    with pytest.raises(Refused) as refusal:
        decode(build(*size), LIMITS)
    assert refusal.value.message == (
        f"image: expected at most 25000000 pixels, got {size[0] * size[1]} ({size[0]}x{size[1]})"
    )


@pytest.mark.parametrize("build", HUGE)
@pytest.mark.parametrize("size", [(12000, 10000), (16383, 16383)])
def test_what_pillow_calls_a_bomb_is_refused(build: Callable[[int, int], bytes], size: tuple[int, int]) -> None:
    with pytest.raises(Refused, match=r"^image: expected at most 25000000 pixels, got "):
        decode(build(*size), LIMITS)


def test_exactly_as_many_pixels_as_allowed_are_read() -> None:
    assert decode(saved(noise(30, 20), "PNG"), ImageLimits(max_pixels=600)).size == (30, 20)
    with pytest.raises(Refused, match=r"at most 599 pixels, got 600 \(30x20\)"):
        decode(saved(noise(30, 20), "PNG"), ImageLimits(max_pixels=599))


@pytest.mark.parametrize("max_pixels", [0, -1, 10**9])
def test_a_limit_outside_pillows_own_is_no_limit(max_pixels: int) -> None:
    with pytest.raises(ValueError, match=f"max_pixels: expected 1 to 89478485 .*, got {max_pixels}"):
        ImageLimits(max_pixels)


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "WEBP"])
def test_an_animation_is_refused(file_format: str) -> None:
    data = saved(noise(8, 8), file_format, save_all=True, append_images=[noise(8, 8, seed=1)])
    with pytest.raises(Refused, match=r"^image: expected a picture of one frame, got an animation of several$"):
        decode(data, LIMITS)


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "WEBP"])
def test_an_animation_of_one_frame_is_a_picture(file_format: str) -> None:
    assert decode(saved(noise(8, 8), file_format, save_all=True), LIMITS).size == (8, 8)


def test_a_run_length_encoded_bmp_is_unsupported() -> None:
    data = saved(palette(0, 1), "BMP")
    with pytest.raises(UnsupportedMedia, match="expected an uncompressed BMP picture, got a run-length encoded one"):
        decode(data[:30] + struct.pack("<I", 1) + data[34:], LIMITS)


def split_jpeg() -> tuple[bytes, bytes, bytes]:
    """A progressive JPEG: before its last scan, that scan, the end."""
    data = saved(noise(16, 16), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last], data[last:-2], data[-2:]


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    start, scan, end = split_jpeg()
    with pytest.raises(Refused, match="expected a JPEG as cameras write them, got more than 100 scans"):
        decode(start + scan * 100 + end, LIMITS)


def test_a_jpeg_of_some_scans_more_is_read() -> None:
    start, scan, end = split_jpeg()
    assert decode(start + scan * 50 + end, LIMITS).size == (16, 16)


@pytest.mark.parametrize("payload", [b"", b"Exif\0\0 one byte more"])
def test_a_jpeg_of_endless_segments_is_refused(payload: bytes) -> None:
    data = saved(RGB, "JPEG")
    with pytest.raises(Refused, match="got more than 500 segments"):
        decode(data[:2] + segment(0xE1, payload) * 500 + data[2:], LIMITS)


def test_a_film_behind_a_photo_does_not_count() -> None:
    """Motion photos of phones: among its bytes are some that look like scans."""
    assert decode(saved(noise(16, 16), "JPEG") + b"\0\0" + b"\xff\xda\0\2" * 3000, LIMITS).size == (16, 16)


def test_what_looks_like_scans_inside_a_segment_does_not_count() -> None:
    data = saved(noise(16, 16), "JPEG")
    assert decode(data[:2] + segment(0xE2, b"\xff\xda\0\2" * 3000) + data[2:], LIMITS).size == (16, 16)


def test_a_large_colour_profile_in_many_segments_is_read() -> None:
    assert decode(saved(noise(16, 16), "JPEG", icc_profile=bytes(4_000_000)), LIMITS).size == (16, 16)


@pytest.mark.parametrize("data", [b"", b"text", saved(RGB, "PNG")[:50], huge_png(9000, 9000)])
def test_an_error_names_the_place_that_the_caller_gives(data: bytes) -> None:
    with pytest.raises(ServiceError, match=r"^instances\[3\]\.image\.b64: expected "):
        decode(data, LIMITS, field="instances[3].image.b64")


@pytest.mark.parametrize(
    ("edge", "divisor"), [(10, 1), (19, 1), (20, 2), (39, 2), (40, 4), (79, 4), (80, 8), (81, 8), (1000, 8)]
)
def test_a_large_jpeg_is_decoded_at_the_smallest_size_that_is_enough(edge: int, divisor: int) -> None:
    picture = decode(saved(noise(2 * edge, edge), "JPEG"), LIMITS, enough=10)
    assert picture.rgb.size == (-(-2 * edge // divisor), -(-edge // divisor))
    assert picture.size == (2 * edge, edge)
    assert picture.box == (0, 0, 2 * edge / divisor, edge / divisor)


@pytest.mark.parametrize(
    "data", [saved(noise(19, 1000), "JPEG"), *(saved(noise(99, 99), kind) for kind in FORMATS[1:])]
)
def test_a_small_jpeg_and_every_other_format_is_decoded_whole(data: bytes) -> None:
    picture, exact = decode(data, LIMITS, enough=10), decode(data, LIMITS)
    assert exact == Picture.whole(exact.rgb)
    assert picture == exact


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [("L", 77, (77, 77, 77)), ("RGB", (200, 100, 50), (200, 100, 50)), ("CMYK", (255, 0, 0, 0), (0, 255, 255))],
)
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_of_any_kind_is_decoded_at_a_fraction(
    mode: str, colour: int | tuple[int, ...], expected: Pixel, progressive: bool, subsampling: int
) -> None:
    flat = Image.new(mode, (160, 80), colour)
    data = saved(flat, "JPEG", quality=100, progressive=progressive, subsampling=subsampling)
    picture = decode(data, LIMITS, enough=10)
    assert picture.rgb.size == (20, 10)
    assert set(pixels(picture.rgb)) == {expected}


def test_of_an_mpo_file_the_first_picture_is_decoded_at_a_fraction() -> None:
    mpo = saved(Image.new("RGB", (80, 80), RED), "MPO", save_all=True, append_images=[noise(160, 160)])
    assert pixels(decode(mpo, LIMITS, enough=10).rgb) == [(254, 0, 0)] * 100


@pytest.mark.parametrize("orientation", SHOWN)
def test_a_photo_decoded_at_a_fraction_is_turned_upright(orientation: int) -> None:
    large = STORED.resize((192, 128), Image.Resampling.NEAREST).convert("RGB")
    picture = decode(saved(large, "JPEG", exif=EXIF + turned(orientation), quality=95), LIMITS, enough=16)
    assert sorted(picture.rgb.size) == [16, 24]
    assert read_letters(picture.rgb) == SHOWN[orientation]


@pytest.mark.parametrize(
    ("turn", "size", "box"),
    [
        (Transpose.FLIP_LEFT_RIGHT, (81, 41), (0.875, 0, 11, 5.125)),
        (Transpose.ROTATE_180, (81, 41), (0.875, 0.875, 11, 6)),
        (Transpose.FLIP_TOP_BOTTOM, (81, 41), (0, 0.875, 10.125, 6)),
        (Transpose.TRANSPOSE, (41, 81), (0, 0, 5.125, 10.125)),
        (Transpose.ROTATE_270, (41, 81), (0.875, 0, 6, 10.125)),
        (Transpose.TRANSVERSE, (41, 81), (0.875, 0.875, 6, 11)),
        (Transpose.ROTATE_90, (41, 81), (0, 0.875, 5.125, 11)),
    ],
)
def test_the_part_of_a_picture_that_shows_the_photo_turns_with_it(
    turn: Transpose, size: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    picture = Picture(noise(11, 6), (81, 41), (0, 0, 10.125, 5.125)).turned(turn)
    assert (picture.size, picture.box) == (size, box)


def lossless_jpeg(edge: int) -> bytes:
    """A square of middle grey by spatial prediction (ITU-T T.81, annex H): each pixel as predicted, one bit each."""
    frame = segment(0xC3, struct.pack(">BHHB3B", 8, edge, edge, 1, 1, 0x11, 0))
    code_of_zero = segment(0xC4, bytes([0, 1, *[0] * 15, 0]))
    scan = segment(0xDA, bytes([1, 1, 0, 1, 0, 0]))
    return b"\xff\xd8" + frame + code_of_zero + scan + bytes(edge * edge // 8) + b"\xff\xd9"


def test_a_lossless_jpeg_has_no_fractions_and_is_decoded_whole() -> None:
    picture = decode(lossless_jpeg(80), LIMITS, enough=10)
    assert picture.rgb.size == (80, 80)
    assert set(pixels(picture.rgb)) == {(128, 128, 128)}


@pytest.mark.parametrize("size", [(5001, 5000), (9000, 9000), (12000, 10000)])
def test_a_fraction_does_not_escape_the_limit_of_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(Refused, match="expected at most 25000000 pixels"):
        decode(huge_jpeg(*size), LIMITS, enough=10)


def test_a_truncated_jpeg_is_bad_input_at_a_fraction_too() -> None:
    whole = saved(noise(200, 200), "JPEG")
    with pytest.raises(BadInput, match="expected a complete JPEG picture"):
        decode(whole[: len(whole) // 2], LIMITS, enough=10)


def decoded_elsewhere(*files: bytes, before: str = "") -> subprocess.CompletedProcess[str]:
    """Runs `before` and then decodes the files in a fresh interpreter, which prints the status of each refusal."""
    script = f"""
import resource, sys
from serving.errors import ServiceError
from transformer.image import ImageLimits, decode
{before}
for data in map(bytes.fromhex, sys.stdin.read().split()):
    try:
        decode(data, ImageLimits())
    except ServiceError as error:
        print(error.status)
"""
    hexadecimal = "\n".join(data.hex() for data in files)
    return subprocess.run([sys.executable, "-c", script], input=hexadecimal, capture_output=True, text=True)


def test_no_warning_is_printed_about_a_file() -> None:
    """Pillow has one for every odd EXIF tag, one for a frame larger than its screen, one for an APNG of no frames."""
    odd_tag = EXIF + b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 1000, 1, 10**6, 8)
    no_frames = png((1, 1), 8, 0, b"\0", chunk(b"acTL", bytes(8)))
    run = decoded_elsewhere(saved(STORED, "JPEG", exif=odd_tag), huge_gif_frame(12000, 10000), no_frames)
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, ["422", "400"], "")


def test_running_out_of_memory_is_bad_input() -> None:
    mapped = "int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()"
    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({mapped} + 50_000_000, resource.RLIM_INFINITY))"
    run = decoded_elsewhere(saved(Image.new("RGB", (5000, 5000)), "PNG"), before=limit)
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, ["400"], "")


SEEDS = [
    *(saved(noise(9, 7), file_format) for file_format in FORMATS),
    saved(noise(9, 7), "JPEG", progressive=True, exif=EXIF + turned(6)),
    saved(noise(9, 7).convert("CMYK"), "JPEG"),
    saved(noise(9, 7).convert("P"), "PNG", transparency=bytes(range(256)), exif=EXIF + turned(5)),
    saved(noise(9, 7), "GIF", save_all=True, append_images=[noise(9, 7, seed=1)]),
    saved(RGBA, "WEBP", lossless=True),
    png((2, 2), 16, 0, words(1, 2), transparent(1)),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), min_size=1, max_size=4),
    st.integers(0, 400),
    st.sampled_from([None, 1, 3]),
)
def test_any_damage_gives_pixels_or_one_of_our_errors(
    seed: bytes, edits: list[tuple[int, bytes]], cut: int, enough: int | None
) -> None:
    data = seed
    for position, replacement in edits:
        data = data[:position] + replacement + data[position + len(replacement) :]
    with suppress(BadInput, UnsupportedMedia, Refused):
        assert decode(data[: len(data) - cut] or b"x", ImageLimits(10_000), enough=enough).rgb.mode == "RGB"
