"""A model that does nothing on our server, to measure the doors alone: `python -m benchmarks.noop`."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import FastAPI

from oip.document import Json
from oip.tensor import InferRequest, InferResponse, ModelMetadata, Tensor, TensorMetadata
from serving.model import ServedModel
from serving.process import run
from serving.server import ModelServer
from serving.settings import ServerSettings


class Noop(ServedModel):
    """Answers with the last value of each picture, `corner` FP32 [N], which shows that all of it arrived."""

    version = "1"

    async def open(self) -> None:
        self.ready = True

    async def close(self) -> None:
        self.ready = False

    def metadata(self) -> ModelMetadata:
        image = TensorMetadata("image", "UINT8", (-1, 224, 224, 3))
        return ModelMetadata(self.name, (self.version,), "noop", (image,), (TensorMetadata("corner", "FP32", (-1,)),))

    def info(self) -> Mapping[str, Any]:
        return {"model_name": self.name}

    def config_parameters(self) -> Mapping[str, str]:
        return {}

    def request_from_v1(self, body: bytes | Json) -> Any:
        raise NotImplementedError("V1 is not measured")

    def response_to_v1(self, response: Any) -> dict[str, Any]:
        raise NotImplementedError("V1 is not measured")

    def request_from_v2(self, request: InferRequest) -> InferRequest:
        return request

    def response_to_v2(self, response: InferResponse, request: InferRequest) -> InferResponse:
        return response

    async def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        corner = payload.inputs[0].array[:, -1, -1, -1].astype(np.float32)
        return InferResponse(self.name, (Tensor("corner", "FP32", corner),), self.version, payload.id)


def serve(settings: ServerSettings) -> None:
    ModelServer(settings, FastAPI(docs_url=None, redoc_url=None)).start([Noop(settings.model_name)])


if __name__ == "__main__":
    sys.exit(run(ServerSettings, sys.argv[1:], serve))
