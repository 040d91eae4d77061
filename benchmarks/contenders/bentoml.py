"""(e) BentoML, as its documentation writes one, around the same eager model: a service class, `bentoml serve`."""

import os
import sys
from pathlib import Path
from typing import Any

import bentoml

from benchmarks.contenders.arguments import arguments
from benchmarks.contenders.eager import Eager
from scripts.port import HOST

BUNDLE = "BENCHMARK_BUNDLE"


@bentoml.service(traffic={"timeout": 300})
class Classifier:
    """Loaded by `bentoml serve` in a process of its own."""

    def __init__(self) -> None:
        self.classify = Eager(Path(os.environ[BUNDLE]))

    @bentoml.api  # type: ignore[untyped-decorator]  # not installed where types are checked
    def predict(self, file: Path) -> dict[str, Any]:
        return self.classify(file.read_bytes())


def main() -> None:
    given = arguments()
    os.environ[BUNDLE] = str(given.bundle)
    serve = ("bentoml", "serve", "benchmarks.contenders.bentoml:Classifier", "--host", HOST, "--port", str(given.port))
    os.execv(sys.executable, (sys.executable, "-m", *serve))  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
