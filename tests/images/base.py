"""A stand-in for the base image: this Debian, bare, and this machine's interpreter where the official image has its."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.images.downloads import PIP, UV

LIBRARIES = ("ca-certificates", "libbz2-1.0", "libffi8", "liblzma5", "libsqlite3-0", "libssl3", "zlib1g")
"""What the interpreter's own modules link to."""

DOCKERFILE = f"""\
FROM scratch
ADD debian.tar /
COPY local /usr/local
RUN ldconfig && python3 -m ensurepip --default-pip && find /usr/local -name '*.pyc' -delete
RUN mkdir -p {PIP.parent} {UV.parent} && touch {PIP} {UV}
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["python3"]
"""
"""The last but two makes what builds mount on: buildah would leave it in their images."""

LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "dist-packages", "__pycache__", "test", "tests", "idle_test", "config-*"
)
"""What the official image has not, either."""


def write_context(directory: Path) -> None:
    """Write what the stand-in is built from, its Dockerfile included."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    include = f"--include={','.join(LIBRARIES)}"
    debian = ["mmdebstrap", "--quiet", "--variant=minbase", include, suite, str(directory / "debian.tar")]
    ran = subprocess.run(debian, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    _copy_interpreter(Path(sys.base_prefix), directory / "local")
    (directory / "Dockerfile").write_text(DOCKERFILE)


def _copy_interpreter(prefix: Path, target: Path) -> None:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (target / "bin").mkdir(parents=True)
    shutil.copy2(prefix / "bin" / name, target / "bin" / name)
    for link in ("python3", "python"):
        (target / "bin" / link).symlink_to(name)
    shutil.copytree(prefix / "lib" / name, target / "lib" / name, ignore=LEFT_OUT)
    for library in (prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(library, target / "lib" / library.name, follow_symlinks=False)
