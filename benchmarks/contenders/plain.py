"""(a) The plain way, as most people write it: FastAPI, `async def`, torchvision's eager model."""

from typing import Any

import uvicorn
from fastapi import FastAPI, UploadFile

from benchmarks.contenders.arguments import arguments
from benchmarks.contenders.eager import Eager
from scripts.port import HOST


def main() -> None:
    given = arguments()
    classify = Eager(given.bundle)
    app = FastAPI()

    @app.get("/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/predict")
    async def predict(file: UploadFile) -> dict[str, Any]:
        return classify(await file.read())

    uvicorn.run(app, host=HOST, port=given.port)


if __name__ == "__main__":
    main()
