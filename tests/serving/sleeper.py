"""A server whose one model does what the request says: `python -m tests.serving.sleeper`."""

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import FastAPI
from msgspec.json import Decoder

from oip.document import Json, decode_json
from oip.tensor import InferRequest, InferResponse, ModelMetadata, Tensor, TensorMetadata
from serving.model import ServedModel
from serving.process import run
from serving.server import ModelServer
from serving.settings import ServerSettings

WISHES = Decoder(dict[str, Any])


class Odd(Exception):
    """Of no kind that a server expects."""


FAULTS: dict[str, type[Exception]] = {
    each.__name__: each for each in (KeyError, ValueError, RuntimeError, OSError, ZeroDivisionError, Odd)
}


class SleeperSettings(ServerSettings):
    """How the model opens."""

    open_seconds: float = 0
    open_fault: str = ""


class Sleeper(ServedModel):
    """V1: `{"seconds": 0.5, "fault": "ValueError", "die": true}`; V2: the same as request parameters.

    `read_seconds` is how long reading takes.
    """

    version = "7"

    def __init__(self, settings: SleeperSettings) -> None:
        super().__init__(settings.model_name)
        self.settings = settings
        self.dead = False

    @property
    def alive(self) -> bool:
        return not self.dead

    async def open(self) -> None:
        await asyncio.sleep(self.settings.open_seconds)
        if self.settings.open_fault:
            raise FAULTS[self.settings.open_fault]("/secret/path")
        self.ready = True

    async def close(self) -> None:
        self.ready = False

    def metadata(self) -> ModelMetadata:
        tensor = TensorMetadata("seconds", "FP32", (-1,))
        return ModelMetadata(self.name, (self.version,), "sleeper", (tensor,), (tensor,))

    def info(self) -> Mapping[str, Any]:
        return {"model_name": self.name}

    def config_parameters(self) -> Mapping[str, str]:
        return {}

    def request_from_v1(self, body: bytes | Json) -> Mapping[str, Any]:
        wishes = decode_json(WISHES, body)
        return read(wishes)

    def response_to_v1(self, response: float) -> dict[str, Any]:
        return {"predictions": [response]}

    def request_from_v2(self, request: InferRequest) -> Mapping[str, Any]:
        return read(request.parameters)

    def response_to_v2(self, response: float, request: InferRequest) -> InferResponse:
        output = Tensor("seconds", "FP32", np.array([response], np.float32))
        return InferResponse(self.name, (output,), self.version, request.id)

    async def predict(self, payload: Mapping[str, Any], headers: Any = None, response_headers: Any = None) -> float:
        seconds = float(payload.get("seconds", 0))
        self.dead = bool(payload.get("die"))
        await asyncio.sleep(seconds)
        if "fault" in payload:
            raise FAULTS[payload["fault"]]("/secret/path")
        return seconds


def read(wishes: Mapping[str, Any]) -> Mapping[str, Any]:
    time.sleep(float(wishes.get("read_seconds", 0)))
    return wishes


def serve(settings: SleeperSettings) -> None:
    ModelServer(settings, FastAPI(docs_url=None, redoc_url=None)).start([Sleeper(settings)])


if __name__ == "__main__":
    sys.exit(run(SleeperSettings, sys.argv[1:], serve))
