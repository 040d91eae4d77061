"""Fetch published weights into torchvision's own cache; only a file with the digest in its name gets there."""

import hashlib
import re
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

from tqdm import tqdm

from bundle.errors import BundleError, DownloadFailed, mismatch

_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.")  # the first digits of the sha256, as in resnet50-11ad3fa6.pth
_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 18


def download(url: str, directory: Path, *, progress: bool = True) -> Path:
    """The file behind `url`, from `directory` when it is there, else fetched with a progress bar on standard error.

    Raises DownloadFailed when the server cannot be reached or not all arrives, BundleError when it answers with an
    error or the file has another digest; neither leaves anything in `directory`.
    """
    name = _name(url)
    prefix = digest_prefix(name)
    path = directory / name
    if path.is_file() and _sha256(path).startswith(prefix):
        return path
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / f"{name}.{uuid4().hex}.partial"
    try:
        _receive(url, partial, progress=progress)
        digest = _sha256(partial)
        if not digest.startswith(prefix):
            raise mismatch(f"{name} from {url}", f"a sha256 that starts with {prefix}", digest)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def digest_prefix(name: str) -> str:
    """The first digits of the sha256 that a published file must have, out of its name."""
    match = _DIGEST.search(name)
    if match is None:
        raise mismatch("address of the weights", "a file name such as NAME-SHA256PREFIX.pth", repr(name))
    return match[1]


def _receive(url: str, path: Path, *, progress: bool) -> None:
    with _opened(url) as response, path.open("wb") as file:
        total = response.length  # None when the server does not say
        with tqdm(desc=_name(url), total=total, unit="B", unit_scale=True, disable=not progress) as bar:
            while chunk := _read(response, url):
                bar.update(file.write(chunk))
        received = file.tell()
    if total is not None and received != total:
        raise DownloadFailed(f"download of {url} failed: expected {total} bytes, got {received}")


def _opened(url: str) -> HTTPResponse:
    """A server that answers with an error was reached, so that is no failure of the network."""
    request = Request(url, headers={"User-Agent": "torch.hub"})  # noqa: S310  # the address is torchvision's
    try:
        response: HTTPResponse = urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except HTTPError as error:
        with error:
            raise BundleError(f"download of {url} failed: the server answered {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise DownloadFailed(f"download of {url} failed: {error}") from error
    return response


def _read(response: HTTPResponse, url: str) -> bytes:
    try:
        return response.read(_CHUNK_BYTES)
    except (OSError, HTTPException) as error:
        raise DownloadFailed(f"download of {url} failed: {error}") from error


def _name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
