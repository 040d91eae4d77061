"""Stands in for `python -m bundle make`: `python -m tests.scripts.fake_maker CALLS CODE UNTRAINED_CODE make-options`.

It appends its options to the file CALLS and writes a bundle when its exit code is 0.
"""

import argparse
import sys
from pathlib import Path

from scripts.weights import NO_NETWORK

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("calls", type=Path)
    parser.add_argument("code", type=int)
    parser.add_argument("untrained_code", type=int)
    parser.add_argument("--arch", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights")
    options = parser.parse_args()
    with options.calls.open("a") as calls:
        print(options.arch, options.out.name, options.weights, file=calls)
    code = options.untrained_code if options.weights == "untrained" else options.code
    if code == 0:
        options.out.mkdir(parents=True)
        (options.out / "model.json").write_text("{}")
    elif code == NO_NETWORK:
        sys.stderr.write("download failed: no route to host\n")
    sys.exit(code)
