"""`scripts.kind` with downloads from loopback: `python -m tests.scripts.fake_kind ADDRESS DIRECTORY …`."""

import sys
from pathlib import Path

from scripts.downloads import FLAG, Downloads, Source
from scripts.kind import SOURCES, Kind, main


def run(address: str, directory: Path, arguments: list[str]) -> int:
    """Exit code of the script."""
    downloads = Downloads(directory / "kept", directory / "checksums.txt", trusting=FLAG in arguments)
    sources = [Source(source.name, f"{address}/{source.name}") for source in SOURCES]
    return main(arguments, Kind(downloads, sources, retry_seconds=0.01))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
