"""Draw the sample photo, `docs/sample.jpg`: a traffic light that ImageNet models know, and that is ours to ship."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

SAMPLE = Path(__file__).resolve().parents[1] / "docs" / "sample.jpg"
SIDE = 640
LAMPS: tuple[Colour, ...] = ((255, 40, 30), (90, 70, 20), (20, 70, 40))
"""From the top: red is lit, amber and green are not."""


def draw() -> Image.Image:
    """A traffic light at red before a pale sky, RGB, `SIDE` x `SIDE` pixels."""
    image = _sky((120, 170, 220), (210, 225, 240))
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((300, 520, 340, SIDE), fill=(70, 70, 75))
    canvas.rounded_rectangle((220, 60, 420, 560), 30, fill=(30, 32, 34), outline=(60, 62, 64), width=8)
    for row, colour in enumerate(LAMPS):
        _lamp(canvas, 140 + 165 * row, colour)
    canvas.ellipse((280, 100, 340, 150), fill=(255, 140, 120))
    return image.filter(ImageFilter.GaussianBlur(1.5))


def _sky(top: Colour, bottom: Colour) -> Image.Image:
    rows = Image.linear_gradient("L").resize((SIDE, SIDE))
    return Image.composite(Image.new("RGB", (SIDE, SIDE), bottom), Image.new("RGB", (SIDE, SIDE), top), rows)


def _lamp(canvas: ImageDraw.ImageDraw, centre: int, colour: Colour) -> None:
    canvas.pieslice((238, centre - 95, 402, centre + 69), 180, 360, fill=(15, 15, 16))
    canvas.ellipse((250, centre - 68, 390, centre + 72), fill=colour)


if __name__ == "__main__":
    draw().save(SAMPLE, quality=90, optimize=True)
