"""Run a module as a program; on SIGUSR1 write the names of all loaded modules to the file in MODULES_FILE.

A name that is there to keep a module from being imported stands for none.
"""

import json
import os
import runpy
import signal
import sys
from pathlib import Path


def write(*_: object) -> None:
    modules: dict[str, object] = dict(sys.modules)
    loaded = [name for name, module in modules.items() if module is not None]
    Path(os.environ["MODULES_FILE"]).write_text(json.dumps(sorted(loaded)))


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, write)
    module = sys.argv.pop(1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as `python -m` does
    runpy.run_module(module, run_name="__main__", alter_sys=True)
