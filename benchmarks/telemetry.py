"""What metrics and traces cost: CPU time for each request over both processes, around an engine that does nothing.

`python -m benchmarks.telemetry [--rounds N] [--requests N]`. Three pairs of servers take turns with the same photo:
one that notes nothing, one with metrics, one with metrics and traces of which 1 % are kept and sent to a receiver of
the benchmark's own. CPU time is the kernel's, of all threads. A pair's figure is the median of its rounds; a cost is
the median of the differences between two pairs in the same round.
"""

import argparse
import asyncio
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from PIL import Image

from scripts.child import Child, running, while_alive
from scripts.errors import RunError
from scripts.port import HOST, free

ROUNDS = 20
REQUESTS = 200
WARM_UP_REQUESTS = 200
READY_SECONDS = 60
SAMPLED_SHARE = "0.01"
MOST_METRICS_US, MOST_TRACES_US = 150.0, 50.0

SILENT, METRICS, TRACES = "nothing noted", "metrics", "metrics and traces"


@dataclass
class Pair:
    """A transformer before a predictor; `cpu_us` is the CPU time of a request in each round."""

    name: str
    predictor: Child
    transformer: Child
    url: str
    cpu_us: list[float] = field(default_factory=list)

    def cpu_ns(self) -> int:
        """Used so far, by both."""
        return sum(time.clock_gettime_ns(_cpu_clock(child.process.pid)) for child in (self.predictor, self.transformer))


@dataclass(frozen=True)
class Cost:
    """Microseconds of CPU time that a request takes more."""

    name: str
    median_us: float
    at_most_us: float

    @property
    def held(self) -> bool:
        return self.median_us <= self.at_most_us


def costs(cpu_us: Mapping[str, Sequence[float]]) -> list[Cost]:
    """What each step adds, from the figures of the pairs, round by round."""
    return [
        Cost(METRICS, _median_difference(cpu_us[METRICS], cpu_us[SILENT]), MOST_METRICS_US),
        Cost("1 % of traces, besides", _median_difference(cpu_us[TRACES], cpu_us[METRICS]), MOST_TRACES_US),
    ]


def table(cpu_us: Mapping[str, Sequence[float]], found: Sequence[Cost]) -> str:
    """Both as text for a person."""
    lines = [f"{'CPU time of a request':<26}{'median us':>10}{'least':>8}{'most':>8}"]
    for name, values in cpu_us.items():
        lines.append(f"{name:<26}{statistics.median(values):>10.0f}{min(values):>8.0f}{max(values):>8.0f}")
    lines += ["", f"{'cost':<26}{'median us':>10}  target"]
    for cost in found:
        verdict = "held" if cost.held else "MISSED"
        lines.append(f"{cost.name:<26}{cost.median_us:>10.0f}  at most {cost.at_most_us:g}: {verdict}")
    return "\n".join(lines)


def _median_difference(more: Sequence[float], less: Sequence[float]) -> float:
    return statistics.median(a - b for a, b in zip(more, less, strict=True))


async def benchmark(rounds: int, requests: int) -> dict[str, list[float]]:
    """Microseconds of CPU time a request, by pair and round."""
    photo = _photo()
    with TemporaryDirectory(prefix="benchmark-") as directory, _receiver() as endpoint:
        async with AsyncExitStack() as stack:
            pairs = [await _started(stack, name, endpoint, Path(directory)) for name in (SILENT, METRICS, TRACES)]
            children = [child for pair in pairs for child in (pair.predictor, pair.transformer)]
            measuring = asyncio.to_thread(_measure, pairs, photo, rounds, requests)
            await while_alive(measuring, *children)
            return {pair.name: pair.cpu_us for pair in pairs}


def _measure(pairs: Sequence[Pair], photo: bytes, rounds: int, requests: int) -> None:
    with httpx.Client(trust_env=False, timeout=30, headers={"content-type": "image/png"}) as client:
        for pair in pairs:
            _ready(client, pair)
            _ask(client, pair, photo, WARM_UP_REQUESTS)
        for number in range(rounds):
            turn = number % len(pairs)  # none is always the first
            for pair in (*pairs[turn:], *pairs[:turn]):
                before = pair.cpu_ns()
                _ask(client, pair, photo, requests)
                pair.cpu_us.append((pair.cpu_ns() - before) / requests / 1000)


def _ask(client: httpx.Client, pair: Pair, photo: bytes, requests: int) -> None:
    for _ in range(requests):
        response = client.post(f"{pair.url}/predict", content=photo)
        if response.status_code != httpx.codes.OK:
            raise RunError(f"{pair.name}: answered with status {response.status_code}: {response.text[:200]}")


def _ready(client: httpx.Client, pair: Pair) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.get(f"{pair.url}/v2/health/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RunError(f"{pair.name}: not ready after {READY_SECONDS} s")


async def _started(stack: AsyncExitStack, name: str, endpoint: str, logs: Path) -> Pair:
    predictor_http, predictor_grpc, http, grpc = map(str, free(4))
    noting = "silent" if name == SILENT else "noting"
    environment = {"HOST": HOST, "LOG_LEVEL": "WARNING"}
    if name == TRACES:
        environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_TRACES_SAMPLER_ARG": SAMPLED_SHARE}

    async def child(role: str, *flags: str) -> Child:
        command = (sys.executable, "-m", "benchmarks.noop_pair", role, noting, *flags)
        return await stack.enter_async_context(
            running(f"{role}, {name}", command, environment, logs / f"{role} {name}")
        )

    predictor = await child("predictor", "--http_port", predictor_http, "--grpc_port", predictor_grpc)
    ports = ("--http_port", http, "--grpc_port", grpc)
    transformer = await child("transformer", "--predictor_host", f"{HOST}:{predictor_grpc}", *ports)
    return Pair(name, predictor, transformer, f"http://{HOST}:{http}")


class _Received(BaseHTTPRequestHandler):
    """Takes traces and forgets them."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Silent."""


@contextmanager
def _receiver() -> Iterator[str]:
    """The endpoint of an OTLP receiver that lives as long as the block."""
    server = ThreadingHTTPServer((HOST, 0), _Received)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _photo() -> bytes:
    """Small: what is measured is not decoding."""
    file = BytesIO()
    Image.new("RGB", (224, 224), "navy").save(file, "PNG")
    return file.getvalue()


def _cpu_clock(pid: int) -> int:
    """The clock of another process's CPU time, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 when both targets held, 1 when one was missed or the benchmark could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telemetry", description="What metrics and traces cost.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="in each round, to each pair")
    options = parser.parse_args(argv)
    try:
        cpu_us = asyncio.run(benchmark(options.rounds, options.requests))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    found = costs(cpu_us)
    print(table(cpu_us, found))
    return int(not all(cost.held for cost in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
