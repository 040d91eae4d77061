"""The transformer's kserve model: photos in, the names of the best classes out."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oip import contract
from oip.contract import Preprocessing
from oip.document import Json
from oip.metadata import preprocessing_parameters
from oip.tensor import InferRequest, InferResponse, ModelMetadata, TensorMetadata
from serving import call
from serving.body import answer_apart
from serving.errors import NotReady, ServiceError
from serving.model import ServedModel
from serving.timeline import Timeline
from transformer import metrics
from transformer import request as requests
from transformer import response as responses
from transformer.decoder import Decoder
from transformer.fetch import Fetcher
from transformer.image import FORMATS
from transformer.request import ClassifyRequest, Link, Photo, Source
from transformer.response import ClassifyResponse, Prediction
from transformer.settings import TransformerSettings
from transformer.upstream import Answer, PredictorClient, PredictorFacts, Rows

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

    stages = ("read", "meet", "queue", "fetch", "decode", "preprocess", "predictor_rpc", "postprocess")

    def __init__(self, settings: TransformerSettings, decoder: Decoder, fetcher: Fetcher) -> None:
        super().__init__(settings.model_name)
        self._settings = settings
        self._decoder = decoder
        self._fetcher = fetcher
        self._predictor: PredictorClient | None = None
        self._fetching = asyncio.Semaphore(settings.fetch_connections)
        metrics.expect()

    @property
    def version(self) -> str:
        return str(self._facts.info.get("model_version", "")) if self._facts else ""

    @property
    def _facts(self) -> PredictorFacts | None:
        return self._predictor.facts if self._predictor else None

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

    def refresh_metrics(self) -> None:
        metrics.DECODE_QUEUE_DEPTH.set(self._decoder.waiting)

    def metadata(self) -> ModelMetadata:
        inputs = tuple(TensorMetadata(name, "BYTES", (-1,)) for name in (contract.INPUT, requests.URL))
        versions = (self.version,) if self.version else ()
        return ModelMetadata(self.name, versions, "kserve_transformer", inputs, responses.OUTPUTS)

    def info(self) -> dict[str, Any]:
        """What the predictor says of itself, and the transformer's own limits; raises NotReady before first contact."""
        limits = self._settings.model_dump(
            include={"max_upload_size", "max_image_pixels", "top_k_predictions", "fetch_enabled"}
        )
        return self._met().info | {"model_name": self.name, "formats": FORMATS, "limits": limits}

    def config_parameters(self) -> Mapping[str, str]:
        return preprocessing_parameters(self._met().preprocessing)

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
        """Fetch what is to be fetched, decode, resize and crop, once it is clear that the contract is agreed on."""
        current = call.current()
        current.images = len(payload.sources)
        with current.stage("meet"):
            facts = await self._meet(payload.fingerprint)
        top_k = requests.checked_top_k(payload, self._settings.top_k_predictions, facts.classes)
        current.named_classes = len(payload.sources) * top_k
        with current.overlapping("decode", "preprocess", "fetch", "queue") as timeline:
            return Prepared(await self._batch(payload.sources, facts.preprocessing, timeline), top_k, facts)

    async def predict(self, payload: Prepared, headers: Any = None, response_headers: Any = None) -> Answer:
        with call.current().stage("predictor_rpc"):
            return await self._client().classify(payload.batch, payload.top_k, payload.facts)

    async def postprocess(self, result: Answer, headers: Any = None, response_headers: Any = None) -> ClassifyResponse:
        current = call.current()
        current.model_version, current.fingerprint = result.model_version, result.fingerprint
        with current.stage("postprocess"):
            photos = await answer_apart(_predictions, result.rows)
        return ClassifyResponse(self.name, result.model_version, result.fingerprint, result.revision, photos)

    async def _meet(self, fingerprint: Any = None) -> PredictorFacts:
        facts = await self._client().meet(fingerprint)
        self.ready = True
        return facts

    def _met(self) -> PredictorFacts:
        if self._facts is None:
            raise NotReady("the predictor has not been met yet")
        return self._facts

    def _client(self) -> PredictorClient:
        if self._predictor is None:
            raise NotReady("the server is starting")
        return self._predictor

    async def _batch(
        self, sources: Sequence[Source], preprocessing: Preprocessing, timeline: Timeline
    ) -> NDArray[np.uint8]:
        """Every photo's pixels, each written where it belongs; the first photo that fails ends the others."""
        batch = np.empty((len(sources), preprocessing.crop, preprocessing.crop, 3), np.uint8)
        if len(sources) == 1:  # the usual case needs no task of its own
            await self._decode(sources[0], preprocessing, batch[0], timeline)
            return batch
        tasks = [
            asyncio.create_task(self._decode(source, preprocessing, pixels, timeline))
            for source, pixels in zip(sources, batch, strict=True)
        ]
        try:
            for task in tasks:
                await task
            return batch
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _decode(
        self, source: Source, preprocessing: Preprocessing, pixels: NDArray[np.uint8], timeline: Timeline
    ) -> None:
        """Fill one photo's pixels, and count the photo."""
        try:
            await self._fill(source, preprocessing, pixels, timeline)
        except ServiceError as error:
            metrics.IMAGES_REJECTED.labels(error.code).inc()
            raise
        metrics.IMAGES.labels(source.origin).inc()

    async def _fill(
        self, source: Source, preprocessing: Preprocessing, pixels: NDArray[np.uint8], timeline: Timeline
    ) -> None:
        """What is fetched is decoded before the next is fetched, so that little is held."""
        if not isinstance(source, Link):
            await self._decoder.decode(source, preprocessing, pixels, timeline)
            return
        with timeline.of("queue"):
            await self._fetching.acquire()
        try:
            with timeline.of("fetch"):
                photo = Photo(await self._fetched(source), source.field)
            await self._decoder.decode(photo, preprocessing, pixels, timeline)
        finally:
            self._fetching.release()

    async def _fetched(self, link: Link) -> bytes:
        """Its bytes. Of a fetch that the request's deadline, or its client, cuts off, the outcome is `cancelled`."""
        outcome = metrics.CANCELLED
        try:
            content = await self._fetcher.fetch(link.url, link.field)
            outcome = metrics.SUCCESS
            return content
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            metrics.FETCHES.labels(outcome).inc()


def _predictions(rows: Rows) -> list[list[Prediction]]:
    return [[Prediction(best.index, best.label, best.value) for best in row] for row in rows]
