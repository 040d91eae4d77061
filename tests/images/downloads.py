"""How this machine reaches the package registries, for builds to do likewise: files to mount, which no image gets."""

import ast
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP = Path("/etc/pip.conf")
UV = Path("/etc/uv/uv.toml")
PIP_OPTIONS = {"extra-index-url", "index-url", "proxy", "timeout", "trusted-host"}


def mounts(directory: Path) -> list[str]:
    """Options of a build; what it mounts is written to `directory`."""
    certificates = Path(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or CERTIFICATES)
    pip, uv = directory / "pip.conf", directory / "uv.toml"
    pip.write_text("\n".join(["[global]", f"cert = {CERTIFICATES}", *_pip_settings()]) + "\n")
    uv.write_text("\n".join(_uv_settings()) + "\n")
    return [f"--volume={source}:{target}:ro" for source, target in ((certificates, CERTIFICATES), (pip, PIP), (uv, UV))]


def _pip_settings() -> Iterator[str]:
    """From its files and variables, as pip sees them; what names this machine's own files stays here."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        option, text = name.rpartition(".")[2], str(ast.literal_eval(value))
        if option in PIP_OPTIONS and "file:" not in text:
            yield f"{option} = " + text.replace("\n", "\n    ")


def _uv_settings() -> Iterator[str]:
    """This machine's own file, else what its variables say."""
    for path in (Path.home() / ".config/uv/uv.toml", UV):
        if path.is_file():
            yield path.read_text()
            return
    yield "system-certs = true"
    if index := os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL"):
        yield f"index-url = '{index}'"
