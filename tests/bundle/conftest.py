from pathlib import Path

import pytest

from tests.bundle import tiny


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A bundle that reads, to be broken."""
    return tiny.write(tmp_path / "bundle")
