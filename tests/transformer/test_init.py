import subprocess
import sys
from pathlib import Path

COUNT = "import os, transformer.model; print(*os.listdir('/proc/self/task'))"


def test_what_a_transformer_imports_starts_no_threads() -> None:
    run = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert len(run.stdout.split()) == 1, run.stderr
