"""The same model on kserve's own server, as its documentation writes one: `python -m benchmarks.stock`.

Takes kserve's flags. kserve listens on every address of the machine and has no flag against that.
"""

import logging
import os
from typing import Any

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.model_server import args


class Noop(Model):  # type: ignore[misc]  # kserve has no types
    """Answers with the last value of each picture, `corner` FP32 [N], which shows that all of it arrived."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = True

    async def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        corner = payload.inputs[0].as_numpy()[:, -1, -1, -1].astype(np.float32)
        output = InferOutput("corner", list(corner.shape), "FP32")
        output.set_data_from_numpy(corner, binary_data=False)
        return InferResponse(payload.id, self.name, [output])


if __name__ == "__main__":
    logging.basicConfig(level=os.environ["LOG_LEVEL"])  # kserve leaves logging alone where it is set up already
    ModelServer().start([Noop(args.model_name)])
