"""What is in the images, and what must not be."""

import re

import pytest

from tests.images.container import printed
from tests.images.downloads import CERTIFICATES, PIP, UV
from tests.images.store import BASE, Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

IMAGES = pytest.mark.parametrize("image", ["predictor", "transformer"])

PROGRAMS = (
    "apt", "apt-get", "cc", "dpkg", "dpkg-deb", "dpkg-query", "gcc", "ld", "make", "pip", "pip3",
    "python-grpc-tools-protoc", "uv",
)  # fmt: skip
MODULES = ("ensurepip", "hatchling", "pip", "setuptools", "uv", "wheel")

STALE_BYTECODE = """
import importlib.util, pathlib, sysconfig
def stale(source):
    cached = pathlib.Path(importlib.util.cache_from_source(source))
    if not cached.exists():
        return True
    header, found = cached.read_bytes()[4:16], source.stat()
    expected = [0, int(found.st_mtime), found.st_size]
    return [int.from_bytes(header[at:at + 4], "little") for at in (0, 4, 8)] != expected
libraries = [pathlib.Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
print([str(source) for library in libraries for source in library.rglob("*.py") if stale(source)])
"""


@IMAGES
def test_nothing_installs_or_builds(images: Store, image: str) -> None:
    found = printed(images, image, f"import shutil; print([name for name in {PROGRAMS} if shutil.which(name)])")
    assert found == "[]"
    find = "from importlib.util import find_spec"
    assert printed(images, image, f"{find}; print([name for name in {MODULES} if find_spec(name)])") == "[]"


@IMAGES
def test_a_scanner_finds_debians_packages_and_pythons(images: Store, image: str) -> None:
    assert "Package: libssl3" in printed(images, image, "print(open('/var/lib/dpkg/status').read())")
    assert printed(images, image, "from importlib.metadata import version; print(version('kserve'))") == "0.21.0"


@IMAGES
def test_no_start_compiles_anything(images: Store, image: str) -> None:
    assert printed(images, image, STALE_BYTECODE) == "[]"


@IMAGES
def test_torch_is_left_out(images: Store, image: str) -> None:
    assert printed(images, image, "from importlib.util import find_spec; print(find_spec('torch'))") == "None"


def test_the_predictor_infers_on_the_cpu_alone(images: Store) -> None:
    listed = "import openvino, pathlib; libraries = pathlib.Path(openvino.__file__).parent / 'libs'"
    plugins = printed(images, "predictor", f"import predictor; {listed}; print([*libraries.glob('*_intel_*')])")
    assert re.findall(r"libopenvino_intel_(\w+)_plugin", plugins) == ["cpu"]


def test_the_predictor_waits_for_a_bundle(images: Store) -> None:
    assert printed(images, "predictor", "import os; print(os.listdir('/mnt/models'))") == "[]"


@IMAGES
def test_nothing_of_this_machine_is_in_them(images: Store, image: str) -> None:
    digest = f"import hashlib; print(hashlib.sha256(open('{CERTIFICATES}', 'rb').read()).hexdigest())"
    assert printed(images, image, digest) == printed(images, BASE, digest)
    assert printed(images, image, f"print(repr(open('{PIP}').read() + open('{UV}').read()))") == "''"
    assert set(images.config(image)["Env"]) - set(images.config(BASE)["Env"]) == {
        "PATH=/app/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE=1",
    }
