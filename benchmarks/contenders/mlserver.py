"""(e) MLServer with a runtime of one's own and a custom handler for uploads, around the same eager model."""

import asyncio
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.handlers import custom_handler
from mlserver.settings import ModelParameters

from benchmarks.contenders.arguments import arguments
from benchmarks.contenders.eager import Eager
from scripts.port import HOST, free


class Classifier(MLModel):  # type: ignore[misc]  # not installed where types are checked
    """In the server's own process: MLServer's workers take no custom handlers."""

    async def load(self) -> bool:
        self.classify = Eager(Path(self.settings.parameters.uri))
        return True

    @custom_handler(rest_path="/predict", rest_method="POST")  # type: ignore[untyped-decorator]  # ditto
    async def upload(self, request: Request) -> Response:
        async with request.form() as form:
            return JSONResponse(self.classify(await form["file"].read()))  # type: ignore[union-attr]  # it is a file


async def serve() -> None:
    given = arguments()
    grpc_port, metrics_port = free(2)
    settings = Settings(
        host=HOST, http_port=given.port, grpc_port=grpc_port, metrics_port=metrics_port, parallel_workers=0
    )
    parameters = ModelParameters(uri=str(given.bundle))
    await MLServer(settings).start([ModelSettings(name="resnet50", implementation=Classifier, parameters=parameters)])


if __name__ == "__main__":
    asyncio.run(serve())
