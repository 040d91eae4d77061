"""Bundles made as a user makes them."""

import subprocess
import sys
from pathlib import Path


def make_bundle(out: Path, *arguments: str) -> Path:
    subprocess.run([sys.executable, "-m", "bundle", "make", "--out", str(out), *arguments], check=True)
    return out
