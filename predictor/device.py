"""The one thread that owns the device."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from predictor.engine import Engine
from serving import call


class DeviceThread:
    """Runs an engine's work in the order of arrival; what is cancelled or too late before its turn is never run.

    The queue is bounded by the requests that are admitted at once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")

    async def warm_up(self, images: NDArray[np.uint8]) -> None:
        """Let the engine see one batch, so that the first request meets no first-time cost."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._engine.infer, images)

    async def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities `[N, classes]`; raises DeadlineExceeded when the turn comes after the call's deadline."""
        current, queued = call.current(), time.monotonic()

        def work() -> NDArray[np.float32]:
            current.stages["queue"] = (time.monotonic() - queued) * 1000
            current.check_deadline()
            with current.stage("inference"):
                return self._engine.infer(images)

        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._executor.shutdown)
