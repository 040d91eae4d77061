"""(d) The strong plain way: FastAPI on uvloop, Pillow in one thread, OpenVINO in bfloat16 in another, one process."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, UploadFile

from benchmarks.contenders.arguments import arguments
from benchmarks.contenders.compiled import Compiled
from scripts.port import HOST


def main() -> None:
    given = arguments()
    compiled = Compiled(given.bundle, "bfloat16")
    decoder, device = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    app = FastAPI()

    def forward(image: np.ndarray) -> np.ndarray:
        probabilities: np.ndarray = compiled.probabilities(image[None])[0]
        return probabilities.copy()

    @app.get("/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/predict")
    async def predict(file: UploadFile) -> dict[str, Any]:
        loop, photo = asyncio.get_running_loop(), await file.read()
        image: np.ndarray = await loop.run_in_executor(decoder, compiled.decode, photo)
        probabilities = await loop.run_in_executor(device, forward, image)
        return compiled.answer(probabilities)

    uvicorn.run(app, host=HOST, port=given.port, loop="uvloop", http="httptools", log_level="warning")


if __name__ == "__main__":
    main()
