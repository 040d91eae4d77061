"""The predictor's kserve model: tensors in, probabilities or the best k classes out."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.reading import Bundle
from oip import classification, contract, v1
from oip.document import Json
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.metadata import preprocessing_parameters
from oip.tensor import InferRequest, InferResponse, ModelMetadata, Tensor, TensorMetadata
from predictor import metrics
from predictor.batcher import Batcher
from predictor.engine import Engine
from predictor.ladder import Ladder
from predictor.predictions import Predictions
from serving import call
from serving.body import answer_apart
from serving.errors import ContractMismatch
from serving.model import ServedModel


class Predictor(ServedModel):
    """A bundle behind an engine, which was chosen for a `reason`. V1 carries tensors as JSON, V2 and gRPC as the
    contract says.
    """

    stages = ("read", "queue", "inference", "postprocess")

    def __init__(
        self,
        name: str,
        bundle: Bundle,
        engine: Engine,
        revision: str,
        *,
        reason: str = "",
        max_waiting_images: int = 256,
        max_wait_ms: float = 0,
    ) -> None:
        super().__init__(name)
        self.bundle = bundle
        self._engine = engine
        self._reason = reason
        self.revision = revision
        self.preprocessing = bundle.record.preprocessing.contract
        ladder = Ladder(engine, self.preprocessing.crop)
        self._batcher = Batcher(ladder, max_waiting_images, max_wait_ms)
        self._predictions = Predictions(bundle.labels, revision, bundle.record.version)
        metrics.QUEUE_LIMIT.set(max_waiting_images)
        self._input = TensorMetadata(contract.INPUT, "UINT8", (-1, self.preprocessing.crop, self.preprocessing.crop, 3))

    @property
    def version(self) -> str:
        return self.bundle.record.version

    @property
    def alive(self) -> bool:
        """False when a thread of the engine has died: nothing but a new process will answer again."""
        return self._batcher.alive

    @property
    def accepts(self) -> bool:
        return self.ready and self.alive

    async def open(self) -> None:
        await self._batcher.open()
        self.ready = True

    async def close(self) -> None:
        self.ready = False
        await self._batcher.close()

    def refresh_metrics(self) -> None:
        metrics.QUEUE_DEPTH.set(self._batcher.waiting)

    def metadata(self) -> ModelMetadata:
        output = TensorMetadata(contract.OUTPUT, "FP32", (-1, self.bundle.record.classes))
        return ModelMetadata(self.name, (self.version,), f"torchvision_{self._engine.name}", (self._input,), (output,))

    def info(self) -> dict[str, Any]:
        record = self.bundle.record
        return {
            "model_name": self.name,
            "model_version": record.version,
            "revision": self.revision,
            "architecture": record.architecture.name,
            "trained": record.trained,
            "classes": record.classes,
            "preprocessing": record.preprocessing.model_dump(),
            "fingerprint": self.preprocessing.fingerprint,
            "engine": self._engine.describe() | {"reason": self._reason},
            "licence": record.licence,
            "origin": record.origin,
        }

    def config_parameters(self) -> Mapping[str, str]:
        record = self.bundle.record.preprocessing
        normalisation = {"mean": json.dumps(record.mean), "std": json.dumps(record.std)}
        info = {contract.MODEL_INFO: json.dumps(self.info())}
        return preprocessing_parameters(self.preprocessing) | normalisation | info

    def request_from_v1(self, body: bytes | Json) -> InferRequest:
        return v1.instances_to_request(self.name, body, self._input, contract.OUTPUT)

    def response_to_v1(self, response: InferResponse) -> dict[str, Any]:
        return v1.response_to_predictions(response)

    def request_from_v2(self, request: InferRequest) -> InferRequest:
        return request

    def response_to_v2(self, response: InferResponse, request: InferRequest) -> InferResponse:
        return response

    async def preprocess(self, payload: InferRequest, headers: Any = None) -> InferRequest:
        """The same request, once it keeps the contract; raises InvalidRequest or ContractMismatch."""
        self._check_fingerprint(payload)
        self._check_inputs(payload)
        current = call.current()
        current.images, current.fingerprint = payload.inputs[0].shape[0], self.preprocessing.fingerprint
        current.named_classes = current.images * (self._requested_classes(payload) or 0)
        return payload

    async def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        probabilities = await self._batcher.infer(payload.inputs[0].array)
        with call.current().stage("postprocess"):
            self._predictions.add(probabilities)
            output = await answer_apart(self._output, probabilities, self._requested_classes(payload))
        return InferResponse(
            model_name=self.name,
            model_version=self.version,
            id=payload.id,
            outputs=(output,),
            parameters={contract.FINGERPRINT: self.preprocessing.fingerprint, "revision": self.revision},
        )

    def _output(self, probabilities: NDArray[np.float32], k: int | None) -> Tensor:
        if k is None:
            return Tensor(contract.OUTPUT, "FP32", probabilities)
        return Tensor(contract.OUTPUT, "BYTES", classification.encode(probabilities, k, self.bundle.labels))

    def _requested_classes(self, request: InferRequest) -> int | None:
        """How many classes are wanted by name; None for all probabilities as numbers."""
        names = [output.name for output in request.outputs]
        if names not in ([], [contract.OUTPUT]):
            raise mismatch("outputs", f"only {contract.OUTPUT!r}", excerpt(", ".join(names)))
        parameters = request.outputs[0].parameters if request.outputs else {}
        k = parameters.get(contract.CLASSIFICATION)
        return None if k is None else classification.checked_k(k, self.bundle.record.classes)

    def _check_fingerprint(self, request: InferRequest) -> None:
        """Strangers may leave the fingerprint out; a transformer never does."""
        given, expected = request.parameters.get(contract.FINGERPRINT), self.preprocessing.fingerprint
        if given is not None and given != expected:
            raise ContractMismatch(f"fingerprint: the predictor's is {expected!r}, the request's is {excerpt(given)}")

    def _check_inputs(self, request: InferRequest) -> None:
        names = [tensor.name for tensor in request.inputs]
        if names != [contract.INPUT]:
            raise mismatch("inputs", f"only {contract.INPUT!r}", excerpt(", ".join(names)))
        (image,) = request.inputs
        if image.datatype != self._input.datatype:
            raise mismatch(f"input {contract.INPUT!r} datatype", self._input.datatype, image.datatype)
        if image.shape[1:] != self._input.shape[1:]:
            raise mismatch(f"input {contract.INPUT!r} shape", list(self._input.shape), list(image.shape))
        if not 1 <= image.shape[0] <= contract.MAX_IMAGES:
            raise mismatch(f"input {contract.INPUT!r} images", f"1 to {contract.MAX_IMAGES}", image.shape[0])
