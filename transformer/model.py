"""The transformer's kserve model: photos in, the names of the best classes out."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oip import contract
from oip.tensor import InferRequest, InferResponse, ModelMetadata, TensorMetadata
from serving import call
from serving.errors import NotReady, ServiceError
from serving.model import ServedModel
from transformer import request as requests
from transformer import response as responses
from transformer.decoder import Decoder
from transformer.fetch import Fetcher
from transformer.image import FORMATS
from transformer.request import Base64Photo, ClassifyRequest, Link, Photo, Source
from transformer.response import ClassifyResponse, Prediction
from transformer.settings import TransformerSettings
from transformer.upstream import Answer, PredictorClient, PredictorFacts

logger = logging.getLogger(__name__)

_MEET_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch for the predictor: UINT8 `[N, crop, crop, 3]`, and how many classes are wanted."""

    batch: NDArray[np.uint8]
    top_k: int


class Transformer(ServedModel):
    """Fetches and decodes photos, asks the predictor, names the classes."""

    def __init__(self, settings: TransformerSettings, decoder: Decoder, fetcher: Fetcher) -> None:
        super().__init__(settings.model_name)
        self._settings = settings
        self._decoder = decoder
        self._fetcher = fetcher
        self._predictor: PredictorClient | None = None

    @property
    def version(self) -> str:
        facts = self._predictor.facts if self._predictor else None
        return str(facts.info.get("model_version", "")) if facts else ""

    @property
    def accepts(self) -> bool:
        """From the start: a request that comes before the predictor is met meets it."""
        return self._predictor is not None

    async def open(self) -> None:
        """Meet the predictor, however long that takes."""
        self._predictor = PredictorClient(self._settings)
        while not self.ready:
            call.begin({}, self._settings.request_timeout_seconds)
            try:
                await self._meet()
            except ServiceError as error:
                logger.warning("not ready: %s", error.message)
                await asyncio.sleep(_MEET_AGAIN_SECONDS)

    async def close(self) -> None:
        self.ready = False
        await self._decoder.close()
        await self._fetcher.aclose()
        if self._predictor is not None:
            await self._predictor.close()

    async def dependencies_ready(self) -> bool:
        return self._predictor is not None and self._predictor.reachable()

    def metadata(self) -> ModelMetadata:
        inputs = tuple(TensorMetadata(name, "BYTES", (-1,)) for name in (contract.INPUT, requests.URL))
        return ModelMetadata(self.name, (self.version,), "kserve_transformer", inputs, responses.OUTPUTS)

    def info(self) -> dict[str, Any]:
        """What the predictor says of itself, and the transformer's own limits; raises NotReady before first contact."""
        facts = self._predictor.facts if self._predictor else None
        if facts is None:
            raise NotReady("the predictor has not been met yet")
        limits = self._settings.model_dump(
            include={"max_upload_size", "max_image_pixels", "top_k_predictions", "fetch_enabled"}
        )
        return facts.info | {"model_name": self.name, "formats": FORMATS, "limits": limits}

    def config_parameters(self) -> Mapping[str, str]:
        facts = self._predictor.facts if self._predictor else None
        return {contract.FINGERPRINT: facts.preprocessing.fingerprint} if facts else {}

    def request_from_v1(self, body: object) -> ClassifyRequest:
        return requests.from_v1(body)

    def response_to_v1(self, response: ClassifyResponse) -> dict[str, Any]:
        return responses.to_v1(response)

    def request_from_v2(self, request: InferRequest) -> ClassifyRequest:
        responses.requested_outputs(request)
        return requests.from_v2(request)

    def response_to_v2(self, response: ClassifyResponse, request: InferRequest) -> InferResponse:
        return responses.to_v2(response, request)

    async def preprocess(self, payload: ClassifyRequest, headers: Any = None) -> Prepared:
        """Fetch what is to be fetched, then decode, resize and crop, all in the request's order."""
        facts = await self._meet()
        top_k = requests.checked_top_k(payload.top_k, self._settings.top_k_predictions, facts.classes)
        current = call.current()
        with current.stage("fetch"):
            photos = await self._fetched(payload.sources)
        with current.stage("preprocess"):
            return Prepared(await self._decoder.batch(photos, facts.preprocessing), top_k)

    async def predict(self, payload: Prepared, headers: Any = None, response_headers: Any = None) -> Answer:
        with call.current().stage("predict"):
            return await self._client().classify(payload.batch, payload.top_k)

    async def postprocess(self, result: Answer, headers: Any = None, response_headers: Any = None) -> ClassifyResponse:
        photos = [[Prediction(best.index, best.label, best.value) for best in row] for row in result.rows]
        return ClassifyResponse(self.name, result.model_version, result.revision, photos)

    async def _meet(self) -> PredictorFacts:
        facts = await self._client().meet()
        self.ready = True
        return facts

    def _client(self) -> PredictorClient:
        if self._predictor is None:
            raise NotReady("the server is starting")
        return self._predictor

    async def _fetched(self, sources: Sequence[Source]) -> list[Photo | Base64Photo]:
        """Every link replaced by its photo; all are fetched at once, one that fails ends the others."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._photo(source)) for source in sources]
        except* ServiceError as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _photo(self, source: Source) -> Photo | Base64Photo:
        if isinstance(source, Link):
            return Photo(await self._fetcher.fetch(source.url, source.field), source.field)
        return source
