"""What the batcher adds on an idle server, over an engine that does nothing: `python -m benchmarks.batcher`."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from typing import Any

import numpy as np
import uvloop
from numpy.typing import NDArray

from predictor.batcher import Batcher
from predictor.engine import Engine
from predictor.ladder import Ladder
from serving import call

REQUESTS = 1000
PAUSE_SECONDS = 0.002
"""Between two requests: the threads are asleep when one comes, as on an idle server."""


class Nothing(Engine):
    """Answers at once."""

    name, precision, device, steps = "nothing", "float32", "cpu", (1,)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.zeros((len(images), 1000), np.float32)

    def describe(self) -> dict[str, Any]:
        return {"name": self.name}


async def measure() -> tuple[list[float], list[float]]:
    """Milliseconds of each request through the batcher, and as many through a bare thread pool, in turn."""
    call.begin({}, 3600)
    engine, image = Nothing(), np.zeros((1, 224, 224, 3), np.uint8)
    batcher, pool = Batcher(Ladder(engine, 224), max_waiting=1), ThreadPoolExecutor(1)
    await batcher.open()
    loop = asyncio.get_running_loop()

    async def pooled() -> None:
        await loop.run_in_executor(pool, engine.run, image)

    async def batched() -> None:
        await batcher.infer(image)

    times_ms: tuple[list[float], list[float]] = [], []
    for _ in range(REQUESTS):
        for way, times in zip((batched, pooled), times_ms, strict=True):
            await asyncio.sleep(PAUSE_SECONDS)
            started = time.perf_counter()
            await way()
            times.append((time.perf_counter() - started) * 1000)
    await batcher.close()
    pool.shutdown()
    return times_ms


def main() -> None:
    for name, times_ms in zip(("batcher", "thread pool"), uvloop.run(measure()), strict=True):
        cuts = quantiles(times_ms, n=100)
        print(f"{name}: best {min(times_ms):.3f} ms, median {cuts[49]:.3f}, p95 {cuts[94]:.3f}, p99 {cuts[98]:.3f}")


if __name__ == "__main__":
    main()
