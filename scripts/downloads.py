"""Files from the network that are used only if their SHA-256 stands in a file of this repository."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.errors import RunError

TIMEOUT_SECONDS = 120
FLAG = "--trust-first-download"


@dataclass(frozen=True)
class Source:
    """A file by the name that it is listed and kept under."""

    name: str
    url: str


@dataclass(frozen=True)
class Downloads:
    """Files kept in `directory`; `checksums` lists them as sha256sum does.

    `trusting` lists a file that is not listed yet, for a person to review; without it such a file is refused.
    """

    directory: Path
    checksums: Path
    trusting: bool = False

    def fetch(self, sources: Sequence[Source]) -> list[Path]:
        """Where the files are, all verified; raises RunError that names every one that cannot be used."""
        listed = self._listed()
        unlisted = [source.name for source in sources if source.name not in listed]
        if unlisted and not self.trusting:
            raise RunError("\n".join(f"{name}: expected its SHA-256 in {self.checksums}, {_HINT}" for name in unlisted))
        self.directory.mkdir(parents=True, exist_ok=True)
        return [self._verified(source, listed.get(source.name)) for source in sources]

    def _verified(self, source: Source, expected: str | None) -> Path:
        path = self.directory / source.name
        if path.is_file() and _sha256(path.read_bytes()) == expected:
            return path
        content = _download(source)
        found = _sha256(content)
        if expected is None:
            self._list(source.name, found)
        elif found != expected:
            raise RunError(f"{source.name}: expected SHA-256 {expected}, found {found}: {source.url}")
        path.write_bytes(content)
        return path

    def _listed(self) -> dict[str, str]:
        lines = [line.split() for line in self.checksums.read_text().splitlines() if not line.startswith("#")]
        return {name: digest for digest, name in filter(None, lines)}

    def _list(self, name: str, digest: str) -> None:
        with self.checksums.open("a") as file:
            file.write(f"{digest}  {name}\n")
        print(f"trusted {name}: its SHA-256 now stands in {self.checksums}, for you to review", flush=True)


_HINT = f"found none: {FLAG} writes down what it downloads, for you to review"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(source: Source) -> bytes:
    try:
        return httpx.get(source.url, follow_redirects=True, timeout=TIMEOUT_SECONDS).raise_for_status().content
    except httpx.HTTPStatusError as error:
        raise RunError(f"{source.name}: expected {source.url}, got status {error.response.status_code}") from error
    except httpx.TransportError as error:
        raise RunError(f"{source.name}: expected {source.url}, got no answer: {error!r}") from error
