import subprocess
import sys
from pathlib import Path

import pytest

from bundle.reading import Bundle, read
from tests.assets import WEIGHTS


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of real ImageNet weights, with its graph and one in int8 that was not judged."""
    out = tmp_path_factory.mktemp("bundles") / "squeezenet1_1"
    order = ["--arch", "squeezenet1_1", "--weights", str(WEIGHTS), "--out", str(out), "--benchmark-only"]
    subprocess.run([sys.executable, "-m", "bundle", "make", *order], check=True, cwd=Path(__file__).parents[2])
    return read(out)
