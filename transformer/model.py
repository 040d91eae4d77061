"""The transformer's kserve model: photos in, the names of the best classes out."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oip import contract
from oip.contract import Preprocessing
from oip.document import Json
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
    """A batch for the predictor: UINT8 `[N, crop, crop, 3]`, how many classes are wanted, and what it was made by."""

    batch: NDArray[np.uint8]
    top_k: int
    facts: PredictorFacts


class Transformer(ServedModel):
    """Fetches and decodes photos, asks the predictor, names the classes."""

    def __init__(self, settings: TransformerSettings, decoder: Decoder, fetcher: Fetcher) -> None:
        super().__init__(settings.model_name)
        self._settings = settings
        self._decoder = decoder
        self._fetcher = fetcher
        self._predictor: PredictorClient | None = None
        self._fetching = asyncio.Semaphore(settings.fetch_connections)

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
        return self._predictor is not None and await self._predictor.reachable()

    def metadata(self) -> ModelMetadata:
        inputs = tuple(TensorMetadata(name, "BYTES", (-1,)) for name in (contract.INPUT, requests.URL))
        versions = (self.version,) if self.version else ()
        return ModelMetadata(self.name, versions, "kserve_transformer", inputs, responses.OUTPUTS)

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

    def request_from_v1(self, body: bytes | Json) -> ClassifyRequest:
        return requests.from_v1(body)

    def response_to_v1(self, response: ClassifyResponse) -> dict[str, Any]:
        return responses.to_v1(response)

    def request_from_v2(self, request: InferRequest) -> ClassifyRequest:
        responses.check_outputs(request)
        return requests.from_v2(request)

    def response_to_v2(self, response: ClassifyResponse, request: InferRequest) -> InferResponse:
        return responses.to_v2(response, request)

    async def preprocess(self, payload: ClassifyRequest, headers: Any = None) -> Prepared:
        """Fetch what is to be fetched, decode, resize and crop; the first photo that fails ends the others."""
        call.current().images = len(payload.sources)
        facts = await self._meet()
        top_k = requests.checked_top_k(payload.top_k, self._settings.top_k_predictions, facts.classes)
        tasks = [asyncio.create_task(self._pixels(source, facts.preprocessing)) for source in payload.sources]
        try:
            return Prepared(np.stack([await task for task in tasks]), top_k, facts)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def predict(self, payload: Prepared, headers: Any = None, response_headers: Any = None) -> Answer:
        with call.current().stage("predict"):
            return await self._client().classify(payload.batch, payload.top_k, payload.facts)

    async def postprocess(self, result: Answer, headers: Any = None, response_headers: Any = None) -> ClassifyResponse:
        call.current().model_version = result.model_version
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

    async def _pixels(self, source: Source, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """One photo's pixels. What is fetched is decoded before the next is fetched, so that little of it is held."""
        if not isinstance(source, Link):
            return await self._decoded(source, preprocessing)
        async with self._fetching:
            with call.current().stage("fetch"):
                photo = Photo(await self._fetcher.fetch(source.url, source.field), source.field)
            return await self._decoded(photo, preprocessing)

    async def _decoded(self, photo: Photo | Base64Photo, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        with call.current().stage("preprocess"):
            return await self._decoder.pixels(photo, preprocessing)
