from pathlib import Path

import pytest

from scripts.draw_sample import SAMPLE
from scripts.errors import RunError
from scripts.options import Options


@pytest.mark.parametrize("environment", [{}, {"MODEL_DIR": "", "MODEL_NAME": "", "PHOTO": "", "PORT": ""}])
def test_what_is_unset_or_empty_has_a_default(environment: dict[str, str]) -> None:
    options = Options.read(environment)
    assert (options.model_dir, options.model_name, options.port) == (None, "resnet50", 8080)
    assert options.photo.samefile(SAMPLE)


def test_each_option_is_read_from_the_environment(tmp_path: Path) -> None:
    environment = {"MODEL_DIR": str(tmp_path), "MODEL_NAME": "cats", "PHOTO": str(SAMPLE), "PORT": "65535"}
    assert Options.read(environment) == Options(model_dir=tmp_path, model_name="cats", photo=SAMPLE, port=65535)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8080.5", "²"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(RunError, match=f"^PORT: expected a number from 1 to 65535, got '{port}'$"):
        Options.read({"PORT": port})


def test_a_missing_photo_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^PHOTO: expected a file, got .*gone\.jpg$"):
        Options.read({"PHOTO": str(tmp_path / "gone.jpg")})


@pytest.mark.parametrize("content", [b"", b"not an image", b"\xff\xd8\xff"])
def test_a_photo_that_is_no_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(content)
    with pytest.raises(RunError, match=r"^PHOTO: expected an image, got .*photo\.jpg$"):
        Options.read({"PHOTO": str(photo)})
