"""`make run`: both servers on this machine, one photo classified, and on until Ctrl-C; nothing is left behind."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import httpx
from pydantic import ValidationError

from scripts.answer import Answer
from scripts.child import Command, running, while_alive
from scripts.errors import RunError
from scripts.options import Options
from scripts.port import HOST, claim, free
from scripts.weights import MAKE_BUNDLE, ROOT, choose

READY_SECONDS = 300
POLL_SECONDS = 0.5
REQUEST_SECONDS = 60


@dataclass(frozen=True)
class Programs:
    """The commands that a run consists of, and where it keeps the bundles that it makes."""

    predictor: Command = (sys.executable, "-m", "predictor")
    transformer: Command = (sys.executable, "-m", "transformer")
    make_bundle: Command = MAKE_BUNDLE
    bundles: Path = ROOT / "bundles"


@dataclass(frozen=True)
class Run:
    """Predictor and transformer side by side on loopback."""

    options: Options
    programs: Programs = field(default_factory=Programs)

    @property
    def address(self) -> str:
        """Where people reach the transformer."""
        return f"http://{HOST}:{self.options.port}"

    async def serve(self) -> None:
        """Serve until cancelled; raises RunError when something fails. The servers are stopped in either case."""
        claim(self.options.port)
        bundle = await choose(self.options.model_dir, self.programs.bundles, self.programs.make_bundle)
        with _logs() as logs:
            print(f"serving {bundle}, logs in {logs}", flush=True)
            predictor, transformer = self._settings(bundle)
            async with (
                running("predictor", self.programs.predictor, predictor, logs / "predictor.log") as one,
                running("transformer", self.programs.transformer, transformer, logs / "transformer.log") as other,
            ):
                await while_alive(self._use(), one, other)

    def _settings(self, bundle: Path) -> tuple[dict[str, str], dict[str, str]]:
        predictor_http, predictor_grpc, transformer_grpc = free(3)
        both = {"MODEL_NAME": self.options.model_name, "HOST": HOST, "LOG_FORMAT": "human"}
        predictor = both | {
            "MODEL_DIR": str(bundle),
            "ALLOW_UNTRAINED": "true",
            "HTTP_PORT": str(predictor_http),
            "GRPC_PORT": str(predictor_grpc),
        }
        transformer = both | {
            "PREDICTOR_HOST": f"{HOST}:{predictor_grpc}",
            "HTTP_PORT": str(self.options.port),
            "GRPC_PORT": str(transformer_grpc),
        }
        return predictor, transformer

    async def _use(self) -> None:
        async with httpx.AsyncClient(base_url=self.address, timeout=REQUEST_SECONDS, trust_env=False) as client:
            await _ready(client)
            print(f"\n{await self._classified(client)}\n")
        print(
            f"API      {self.address}/predict\n"
            f"docs     {self.address}/docs\n"
            f"metrics  {self.address}/metrics\n"
            f"page     {self.address}/ui\n\n"
            "Ctrl-C stops both servers.",
            flush=True,
        )
        await asyncio.Event().wait()

    async def _classified(self, client: httpx.AsyncClient) -> str:
        photo = self.options.photo
        upload = {"file": (photo.name, photo.read_bytes())}
        started = time.perf_counter()
        try:
            response = await client.post("/predict", files=upload)
            elapsed_ms = (time.perf_counter() - started) * 1000
            if response.status_code != httpx.codes.OK:
                raise RunError(f"PHOTO: {photo} was answered with status {response.status_code}: {response.text}")
            return Answer.model_validate_json(response.content).table(str(photo), elapsed_ms)
        except httpx.TransportError as error:
            raise RunError(f"the transformer did not answer for {photo}: {error!r}") from error
        except ValidationError as error:
            raise RunError(f"the transformer answered something else than predictions: {response.text}") from error


async def _ready(client: httpx.AsyncClient) -> None:
    started = time.monotonic()
    print("waiting until both are ready ", end="", flush=True)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await _is_ready(client):
                print(".", end="", flush=True)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise RunError(f"not ready after {READY_SECONDS} s") from error
    finally:
        print(f" {time.monotonic() - started:.1f} s", flush=True)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@contextmanager
def _logs() -> Iterator[Path]:
    """A directory for the logs; a failure leaves it, for a person to read."""
    directory = Path(mkdtemp(prefix="image-classifier-"))
    try:
        yield directory
    except asyncio.CancelledError:
        shutil.rmtree(directory)
        raise


async def _until_interrupted(work: Coroutine[None, None, None]) -> None:
    """Run `work`, cancelled by the first SIGINT or SIGTERM; each further one cuts the wait for a server short."""
    task = asyncio.ensure_future(work)

    def interrupt() -> None:
        print("\nstopping", flush=True)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def main(programs: Programs | None = None) -> int:
    """Exit code: 0 when a person stopped it, 1 for every failure, told in one line on stderr."""
    try:
        run = Run(Options.read(os.environ), programs or Programs())
        asyncio.run(_until_interrupted(run.serve()))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
