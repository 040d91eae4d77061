"""How long our predictor takes to be ready, beside what Python takes to import what it stands on."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contender import predictor
from benchmarks.server import until_ready
from scripts.child import running, while_alive
from scripts.errors import RunError
from scripts.port import free

IMPORTS = "import kserve.model_server, openvino"


@dataclass(frozen=True)
class Starting:
    """Both of one round, measured one after the other."""

    round: int
    ready_seconds: float
    import_seconds: float

    @property
    def ratio(self) -> float:
        return self.ready_seconds / self.import_seconds


async def measure_starts(bundle: Path, precision: str, rounds: int, directory: Path) -> list[Starting]:
    """Import, predictor, import, predictor; the first of each is not counted, it compiles what has no bytecode yet."""
    found = []
    for number in range(-1, rounds):
        import_seconds = await _import_seconds(directory)
        found.append(Starting(number, await _ready_seconds(bundle, precision, directory), import_seconds))
    return found[1:]


async def _import_seconds(directory: Path) -> float:
    begun = time.monotonic()
    log = directory / "import.log"
    async with running("import", (sys.executable, "-c", IMPORTS), log=log) as child:
        if code := await child.finished():
            raise RunError(f"{IMPORTS}: exit code {code}: {log.read_text()[-500:]}")
        return time.monotonic() - begun


async def _ready_seconds(bundle: Path, precision: str, directory: Path) -> float:
    http_port, grpc_port = free(2)
    program = predictor(bundle, precision, http_port, grpc_port, sys.executable)
    begun = time.monotonic()
    async with running(program.name, program.command, program.environment, directory / "predictor.log") as child:
        await while_alive(until_ready(http_port, "/v2/health/ready"), child)
        return time.monotonic() - begun
