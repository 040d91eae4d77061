"""The client of the predictor: what it learns of it, and how its failures read to our own clients."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from oip import classification, contract
from oip import inference_pb2 as pb
from oip.classification import Classified
from oip.errors import InvalidRequest
from oip.excerpt import excerpt
from oip.grpc import SERVICE, request_to_wire, response_from_message
from oip.tensor import InferRequest, RequestedOutput, Tensor
from serving import call
from serving.body import answer_apart, apart
from serving.errors import (
    ERROR_CODE,
    BadPrediction,
    ContractMismatch,
    DeadlineExceeded,
    PredictorUnavailable,
    ServiceError,
)
from serving.outcome import OUTCOMES
from serving.recent import Recent
from transformer import metrics
from transformer.settings import TransformerSettings

logger = logging.getLogger(__name__)

_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_retries", 0),  # one layer retries, and it is not this one
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 500),  # a predictor that is back is met by the next request
]

_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED)
"""gRPC itself answers CANCELLED to a call that a stopping server had not begun, RESOURCE_EXHAUSTED to one too many."""

_NOTICE_SECONDS = 0.2
"""How long `GET /ready` waits for a connection that is being made again."""

Rows = Sequence[Sequence[Classified]]
"""The best classes of each photo."""


@dataclass(frozen=True, slots=True)
class PredictorFacts:
    """What the predictor says of itself at first contact."""

    preprocessing: contract.Preprocessing
    classes: int
    info: dict[str, Any]

    @property
    def origin(self) -> tuple[str, str]:
        """Revision and version of the model."""
        return str(self.info.get("revision", "")), str(self.info.get("model_version", ""))

    def agree(self, fingerprint: Any) -> bool:
        """Whether that is the predictor's own, or none was asked for."""
        return fingerprint in (None, self.preprocessing.fingerprint)


@dataclass(frozen=True, slots=True)
class Answer:
    """The best classes of each photo, and which model gave them."""

    model_version: str
    fingerprint: str
    revision: str
    rows: Rows


@dataclass(slots=True)
class _Origin:
    """Which predictor a call came to, once it has said so, and the code of its refusal."""

    revision: str = ""
    model_version: str = ""
    refusal: str = ""


class PredictorClient:
    """One gRPC channel to the predictor. Needs a running event loop; nothing is sent before the first call."""

    def __init__(self, settings: TransformerSettings) -> None:
        self._settings = settings
        self._channel = _channel(settings)
        self._config = self._method("ModelConfig", pb.ModelConfigResponse)
        self._infer = self._method("ModelInfer", pb.ModelInferResponse)
        self._facts: PredictorFacts | None = None
        self._outdated = False
        self._origins: Recent[tuple[str, str]] = Recent(metrics.forget_predictor)

    @property
    def facts(self) -> PredictorFacts | None:
        """What was learned last; None before first contact, and after a refusal that it cannot explain."""
        return self._facts

    async def reachable(self) -> bool:
        """As seen by the connection, which is made again if it was lost; sends no request."""
        state = self._channel.get_state(try_to_connect=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_NOTICE_SECONDS):
                while state in (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING):
                    await self._channel.wait_for_state_change(state)
                    state = self._channel.get_state(try_to_connect=True)
        return bool(state is grpc.ChannelConnectivity.READY)

    async def meet(self, fingerprint: Any = None) -> PredictorFacts:
        """The predictor's facts, asked for where the connection is not there, or the fingerprint not the one learned.

        Raises PredictorUnavailable, BadPrediction or, for a fingerprint that is not the predictor's, ContractMismatch.
        """
        facts, connected = self._facts, self._channel.get_state() is grpc.ChannelConnectivity.READY
        if facts is None or self._outdated or not connected or not facts.agree(fingerprint):
            facts = await self._learn()
        if not facts.agree(fingerprint):
            own = facts.preprocessing.fingerprint
            raise ContractMismatch(
                f"fingerprint: the transformer's is {own!r}, the request's is {excerpt(fingerprint)}"
            )
        return facts

    async def _learn(self) -> PredictorFacts:
        request = pb.ModelConfigRequest(name=self._settings.model_name)
        with _counted() as origin:
            response = await self._call(self._config, request.SerializeToString(), origin)
            self._facts = None  # it is no longer what was met, unless it says so
            facts = _facts(response.config)
            origin.revision, origin.model_version = facts.origin
            self._expect(origin)
            self._facts = self._checked(facts)
        self._outdated = False
        logger.info("met the predictor: %s", self._facts.preprocessing.fingerprint)
        return self._facts

    async def classify(self, batch: NDArray[np.uint8], k: int, facts: PredictorFacts) -> Answer:
        """The best `k` classes of each image of a batch that was made by these facts; BadPrediction for nonsense."""
        current = call.current()
        request = InferRequest(
            model_name=self._settings.model_name,
            inputs=(Tensor(contract.INPUT, "UINT8", batch),),
            id=current.id,
            outputs=(RequestedOutput(contract.OUTPUT, {contract.CLASSIFICATION: k}),),
            parameters={contract.FINGERPRINT: facts.preprocessing.fingerprint},
        )
        wire = await apart(batch.nbytes, request_to_wire, request)
        started = time.monotonic()
        with _counted() as origin:
            message = await self._call(self._infer, wire, origin)
            answered = time.monotonic()
            revision, version = _revision(message), message.model_version
            origin.revision, origin.model_version = revision, version
            self._expect(origin)
            classes: int | None = facts.classes
            if version != facts.info.get("model_version"):
                self._outdated, classes = True, None  # another model than was met: the next request learns of it
            rows = await self._rows(message, (len(batch), k), classes)
            metrics.PREDICTOR_CALL_DURATION.labels(revision, version).observe(answered - started, current.exemplar)
        return Answer(version, facts.preprocessing.fingerprint, revision, rows)

    async def close(self) -> None:
        await self._channel.close()

    async def _rows(self, message: pb.ModelInferResponse, shape: tuple[int, int], classes: int | None) -> Rows:
        try:
            return await answer_apart(_rows, message, shape, classes)
        except InvalidRequest as error:
            raise BadPrediction("the predictor answered something that is not a prediction") from error

    async def _call(self, method: Any, request: bytes, origin: _Origin) -> Any:
        try:
            async with asyncio.timeout(self._settings.predictor_connect_seconds):
                await self._channel.channel_ready()
        except TimeoutError as error:
            raise PredictorUnavailable("the predictor cannot be reached") from error
        current = call.current()
        metadata = ((call.REQUEST_ID, current.id), *current.trace_context)
        try:
            return await method(request, timeout=current.remaining_seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error, origin) from error

    def _translated(self, error: grpc.aio.AioRpcError, origin: _Origin) -> ServiceError:
        """What the predictor's refusal is to our own client; notes whose refusal it is."""
        trailing = {key: str(value) for key, value in error.trailing_metadata() or ()}
        origin.revision, origin.model_version = trailing.get(call.REVISION, ""), trailing.get(call.MODEL_VERSION, "")
        self._expect(origin)
        code = trailing.get(ERROR_CODE, "")
        origin.refusal = code if code in OUTCOMES else ""
        logger.info("predictor answered %s (%s): %s", error.code().name, code, error.details())
        if code == ContractMismatch.code:
            self._facts = None  # learned anew by the next request
            return ContractMismatch(str(error.details()))
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded("the request's deadline is over")
        if error.code() in _AWAY:
            return PredictorUnavailable("the predictor cannot take the request now")
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return BadPrediction(f"the predictor has no model {self._settings.model_name!r}")
        self._facts = None  # perhaps it is another model than was met
        return BadPrediction("the predictor refused the request")

    def _expect(self, origin: _Origin) -> None:
        if self._origins.is_new((origin.revision, origin.model_version)):
            metrics.expect_predictor(origin.revision, origin.model_version)

    def _checked(self, facts: PredictorFacts) -> PredictorFacts:
        """A predictor of another contract than the settings ask for is refused."""
        wanted, given = self._settings.fingerprint, facts.preprocessing.fingerprint
        if wanted and wanted != given:
            raise ContractMismatch(f"fingerprint: the transformer's is {wanted!r}, the predictor's is {given!r}")
        return facts

    def _method(self, name: str, response: type[Message]) -> Any:
        return self._channel.unary_unary(f"/{SERVICE}/{name}", response_deserializer=response.FromString)


@contextmanager
def _counted() -> Iterator[_Origin]:
    """Count a call by how it ends, under what became known of the predictor."""
    origin, outcome = _Origin(), metrics.CANCELLED
    try:
        yield origin
        outcome = metrics.SUCCESS
    except ServiceError as error:
        outcome = origin.refusal or error.code
        raise
    finally:
        metrics.PREDICTOR_CALLS.labels(outcome, origin.revision, origin.model_version).inc()


def _channel(settings: TransformerSettings) -> grpc.aio.Channel:
    host = settings.predictor_host
    options = [*_CHANNEL_OPTIONS, ("grpc.lb_policy_name", settings.predictor_load_balancing)]
    if not settings.predictor_use_ssl:
        return grpc.aio.insecure_channel(host if ":" in host else f"{host}:80", options)
    target = host if ":" in host else f"{host}:443"
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(), options)


def _facts(config: Any) -> PredictorFacts:
    parameters = {name: parameter.string_value for name, parameter in config.parameters.items()}
    try:
        preprocessing = contract.Preprocessing.from_fingerprint(parameters.get(contract.FINGERPRINT, ""))
        info = json.loads(parameters[contract.MODEL_INFO])
        if not isinstance(info, dict) or not isinstance(info.get("engine", {}), dict):
            raise TypeError(contract.MODEL_INFO)
        return PredictorFacts(preprocessing, int(info["classes"]), info)
    except InvalidRequest as error:
        raise ContractMismatch(f"the predictor's {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadPrediction("the predictor's config is not one of this contract") from error


def _revision(message: pb.ModelInferResponse) -> str:
    """Looked for first: to ask a protobuf map for what is not in it puts it there."""
    return message.parameters["revision"].string_param if "revision" in message.parameters else ""


def _rows(message: pb.ModelInferResponse, shape: tuple[int, int], classes: int | None) -> Rows:
    """The message's predictions, once every number in them makes sense; raises InvalidRequest otherwise."""
    response = response_from_message(message)
    outputs = [output for output in response.outputs if output.name == contract.OUTPUT]
    if not outputs or outputs[0].datatype != "BYTES" or outputs[0].shape != shape:
        raise InvalidRequest(f"outputs: expected {contract.OUTPUT} BYTES {list(shape)}, got something else")
    rows = [[classification.decode(entry) for entry in row] for row in outputs[0].array]
    for entry in (entry for row in rows for entry in row):
        if not (0 <= entry.value <= 1 and entry.index >= 0 and (classes is None or entry.index < classes)):
            raise InvalidRequest(f"{contract.OUTPUT}: expected a probability of a class, got {entry}")
    return rows
