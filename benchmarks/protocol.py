"""What the doors cost: REST binary, REST JSON and gRPC raw, on our server and on kserve's own, around the same no-op.

`python -m benchmarks.protocol [--rounds N] [--json PATH]`. One client process asks all contenders in turn, each on a
connection of its own, with requests that were built before: a time is that from the first byte sent to the answer
read. All contenders of a batch size take part in the same rounds, the slow ones in fewer, evenly spread. Only ratios
compare between machines.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import httpx
import numpy as np

from oip.grpc import SERVICE, request_to_wire, response_from_message
from oip.inference_pb2 import ModelInferResponse
from oip.rest import HEADER_LENGTH, encode_request
from oip.tensor import InferRequest, Tensor
from scripts.child import running, while_alive
from scripts.errors import RunError
from scripts.port import HOST, free

BATCHES = (1, 8)
ROUNDS = 100
LEAST_TURNS = 5
SECONDS = 12.0
"""What one contender may take, roughly; those who would need more sit out some rounds."""

READY_SECONDS = 60
REQUEST_SECONDS = 60
WARM_UP_REQUESTS = 3

MODEL = "noop"
OURS, STOCK = "ours", f"kserve {version('kserve')}"
GRPC, BINARY, JSON = "gRPC raw", "REST binary", "REST JSON"

MOST_BINARY_TO_GRPC = 4.0
MOST_JSON_TO_STOCK = 0.5


@dataclass(frozen=True)
class Contender:
    """A door of a server, and one request to it; `send` gives the answer's bytes, `read` the values in them."""

    server: str
    door: str
    batch: int
    send: Callable[[], bytes]
    read: Callable[[bytes], list[float]]


@dataclass(frozen=True)
class Timing:
    """How long a contender's requests took."""

    server: str
    door: str
    batch: int
    turns: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Ratio:
    """One median over another; `at_most` is the target, None where there is none."""

    batch: int
    name: str
    value: float
    at_most: float | None = None


@dataclass(frozen=True)
class Server:
    """A process of the benchmark; `command` lacks the interpreter."""

    name: str
    command: tuple[str, ...]
    http_port: int
    grpc_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.http_port}/v2/models/{MODEL}"


def turns(seconds: float, rounds: int) -> int:
    """How many of the rounds a contender takes part in whose one request takes `seconds`."""
    return min(rounds, max(LEAST_TURNS, int(SECONDS / seconds)))


def schedule(rounds: int, turns_each: Sequence[int]) -> Iterator[int]:
    """Whose turn it is, by index: A B C, A B C; those with fewer turns than rounds spread them evenly."""
    for number in range(rounds):
        for index, count in enumerate(turns_each):
            if (number + 1) * count // rounds > number * count // rounds:
                yield index


def measure(contenders: Sequence[Contender], rounds: int, clock: Callable[[], float]) -> list[Timing]:
    """The timings, in the order of the contenders; `clock` gives seconds."""
    turns_each = [turns(min(_timed(contender, clock) for _ in range(2)), rounds) for contender in contenders]
    seconds: list[list[float]] = [[] for _ in contenders]
    for index in schedule(rounds, turns_each):
        seconds[index].append(_timed(contenders[index], clock))
    return [timing(contender, times) for contender, times in zip(contenders, seconds, strict=True)]


def timing(contender: Contender, seconds: Sequence[float]) -> Timing:
    """Median and 95th percentile (interpolated) of at least two times."""
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    median = statistics.median(seconds)
    return Timing(contender.server, contender.door, contender.batch, len(seconds), median * 1000, p95 * 1000)


def ratios(timings: Sequence[Timing]) -> list[Ratio]:
    """What the benchmark is for, for each batch size."""
    median = {(each.server, each.door, each.batch): each.median_ms for each in timings}
    found = []
    for batch in dict.fromkeys(each.batch for each in timings):
        for server, at_most in ((OURS, MOST_BINARY_TO_GRPC), (STOCK, None)):
            value = median[server, BINARY, batch] / median[server, GRPC, batch]
            found.append(Ratio(batch, f"{BINARY} / {GRPC}, {server}", value, at_most))
        value = median[OURS, JSON, batch] / median[STOCK, JSON, batch]
        found.append(Ratio(batch, f"{JSON}, {OURS} / {STOCK}", value, MOST_JSON_TO_STOCK))
    return found


def table(timings: Sequence[Timing], found: Sequence[Ratio]) -> str:
    """Both as text for a person."""
    lines = [f"{'batch':>5}  {'server':<14}{'door':<13}{'requests':>8}{'median ms':>11}{'p95 ms':>10}"]
    for each in timings:
        times = f"{each.turns:>8}{each.median_ms:>11.2f}{each.p95_ms:>10.2f}"
        lines.append(f"{each.batch:>5}  {each.server:<14}{each.door:<13}{times}")
    lines += ["", f"{'batch':>5}  {'ratio of medians':<40}{'value':>8}  target"]
    lines += [f"{each.batch:>5}  {each.name:<40}{each.value:>8.2f}  {_verdict(each)}".rstrip() for each in found]
    return "\n".join(lines)


def check(contender: Contender, pictures: np.ndarray) -> None:
    """Warm up; raises RunError unless the answer is that of the no-op to these pictures."""
    for _ in range(WARM_UP_REQUESTS):
        answer = contender.read(contender.send())
        if answer != (expected := pictures[:, -1, -1, -1].tolist()):
            raise RunError(f"{contender.server}, {contender.door}: expected {expected}, got {answer}")


async def benchmark(rounds: int) -> list[Timing]:
    """Start both servers on free ports of the loopback, measure, stop them."""
    our_http, our_grpc, stock_http, stock_grpc = free(4)
    ours = Server(OURS, ("-m", "benchmarks.noop", "--host", HOST), our_http, our_grpc)
    stock = Server(STOCK, ("-m", "benchmarks.stock"), stock_http, stock_grpc)
    with TemporaryDirectory(prefix="benchmark-") as directory:
        logs = Path(directory)
        async with (
            running(ours.name, _command(ours), {"LOG_LEVEL": "WARNING"}, logs / "ours.log") as one,
            running(stock.name, _command(stock), {"LOG_LEVEL": "WARNING"}, logs / "stock.log") as other,
        ):
            await while_alive(_ready((ours, stock)), one, other)
            return await while_alive(asyncio.to_thread(_measured, (ours, stock), rounds), one, other)


def _measured(servers: Sequence[Server], rounds: int) -> list[Timing]:
    random = np.random.default_rng(0)
    found = []
    for batch in BATCHES:
        pictures = random.integers(0, 256, (batch, 224, 224, 3), np.uint8)
        with ExitStack() as connections:
            contenders = [each for server in servers for each in _contenders(server, pictures, connections)]
            for contender in contenders:
                check(contender, pictures)
            found += measure(contenders, rounds, time.perf_counter)
    return found


def _contenders(server: Server, pictures: np.ndarray, connections: ExitStack) -> Iterator[Contender]:
    request = InferRequest(MODEL, (Tensor("image", "UINT8", pictures),), id="1")  # kserve fails without an id
    message = request_to_wire(request)
    yield Contender(server.name, GRPC, len(pictures), _rpc(server, message, connections), _read_message)
    for door, binary in ((BINARY, True), (JSON, False)):
        body, header_length = encode_request(request, binary=binary)
        send = _post(server, body, header_length, connections)
        yield Contender(server.name, door, len(pictures), send, _read_document)


def _rpc(server: Server, message: bytes, connections: ExitStack) -> Callable[[], bytes]:
    options = [("grpc.use_local_subchannel_pool", 1)]  # else channels to one address share a connection
    channel = connections.enter_context(grpc.insecure_channel(f"{HOST}:{server.grpc_port}", options))
    infer: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{SERVICE}/ModelInfer")
    return lambda: infer(message, timeout=REQUEST_SECONDS, wait_for_ready=True)


def _post(server: Server, body: bytes, header_length: int | None, connections: ExitStack) -> Callable[[], bytes]:
    limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
    client = connections.enter_context(httpx.Client(trust_env=False, timeout=REQUEST_SECONDS, limits=limits))
    headers = {"content-type": "application/json"}
    if header_length is not None:
        headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(header_length)}

    def send() -> bytes:
        response = client.post(f"{server.url}/infer", content=body, headers=headers)
        if response.status_code != httpx.codes.OK:
            raise RunError(f"{server.name} answered with status {response.status_code}: {response.text[:200]}")
        return response.content

    return send


def _read_message(answer: bytes) -> list[float]:
    values: list[float] = response_from_message(ModelInferResponse.FromString(answer)).outputs[0].array.tolist()
    return values


def _read_document(answer: bytes) -> list[float]:
    values: list[float] = json.loads(answer)["outputs"][0]["data"]
    return values


def _timed(contender: Contender, clock: Callable[[], float]) -> float:
    started = clock()
    contender.send()
    return clock() - started


def _command(server: Server) -> tuple[str, ...]:
    ports = ("--http_port", str(server.http_port), "--grpc_port", str(server.grpc_port))
    return (sys.executable, *server.command, "--model_name", MODEL, *ports)


async def _ready(servers: Sequence[Server]) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            for server in servers:
                while not await _is_ready(client, server):  # noqa: ASYNC110  # a port tells nobody
                    await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise RunError(f"not ready after {READY_SECONDS} s") from error


async def _is_ready(client: httpx.AsyncClient, server: Server) -> bool:
    try:
        return (await client.get(f"{server.url}/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _verdict(ratio: Ratio) -> str:
    if ratio.at_most is None:
        return ""
    return f"at most {ratio.at_most:g}: {'held' if ratio.value <= ratio.at_most else 'MISSED'}"


def _machine() -> dict[str, str | int | None]:
    return {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.protocol", description="What the doors cost.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="requests to each contender, fewer to slow ones")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, too")
    options = parser.parse_args(argv)
    if options.rounds < LEAST_TURNS:
        parser.error(f"--rounds: expected at least {LEAST_TURNS}, got {options.rounds}")
    return options


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 when every target held, 1 when one was missed or the benchmark could not run."""
    options = _options(argv)
    try:
        timings = asyncio.run(benchmark(options.rounds))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    found = ratios(timings)
    print(table(timings, found))
    if options.json:
        figures = {"machine": _machine(), "timings": timings, "ratios": found}
        options.json.write_text(json.dumps(figures, default=asdict, indent=2) + "\n")
    return int(any("MISSED" in _verdict(each) for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
