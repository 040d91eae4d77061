"""What the person who runs the servers chose, checked before anything starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image, UnidentifiedImageError

from scripts.draw_sample import SAMPLE
from scripts.errors import RunError


@dataclass(frozen=True)
class Options:
    """`port` is that of the transformer's HTTP; without `model_dir` the published ResNet50 is served."""

    model_dir: Path | None
    model_name: str
    photo: Path
    port: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """From MODEL_DIR, MODEL_NAME, PHOTO and PORT; empty is unset. Raises RunError naming the one that is wrong."""
        model_dir = environment.get("MODEL_DIR")
        return cls(
            model_dir=Path(model_dir) if model_dir else None,
            model_name=environment.get("MODEL_NAME") or "resnet50",
            photo=_photo(Path(environment.get("PHOTO") or os.path.relpath(SAMPLE))),
            port=_port(environment.get("PORT") or "8080"),
        )


def _photo(path: Path) -> Path:
    if not path.is_file():
        raise RunError(f"PHOTO: expected a file, got {path}")
    try:
        Image.open(path).close()
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise RunError(f"PHOTO: expected an image, got {path}") from error
    except OSError as error:
        raise RunError(f"PHOTO: {path} cannot be read ({error.strerror})") from error
    return path


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise RunError(f"PORT: expected a number from 1 to 65535, got {text!r}")
    return int(text)
