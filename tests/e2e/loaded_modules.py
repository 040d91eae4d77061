"""Run a module as a program; on SIGUSR1 write what it has loaded to the file in MODULES_FILE, as JSON.

`modules` are the names of all modules, but for those that are there to keep one from being imported; `loops` are the
types of the event loops.
"""

import asyncio
import gc
import json
import os
import runpy
import signal
import sys
from pathlib import Path


def write(*_: object) -> None:
    modules: dict[str, object] = dict(sys.modules)
    loaded = [name for name, module in modules.items() if module is not None]
    loops = [type(each).__module__ for each in gc.get_objects() if isinstance(each, asyncio.AbstractEventLoop)]
    Path(os.environ["MODULES_FILE"]).write_text(json.dumps({"modules": sorted(loaded), "loops": loops}))


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, write)
    module = sys.argv.pop(1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as `python -m` does
    runpy.run_module(module, run_name="__main__", alter_sys=True)
