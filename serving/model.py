"""A kserve model with the life that our server gives it: open, ready, close."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from kserve.model import Model

from oip.document import Json
from oip.tensor import InferRequest, InferResponse, ModelMetadata


class ServedModel(Model):
    """One model on every door.

    A door translates what came in into the model's own request, kserve runs that through `preprocess`, `predict` and
    `postprocess` (and its histograms), and the door translates the model's own response into what goes out.
    """

    stages: ClassVar[tuple[str, ...]] = ("read", "postprocess")
    """What its requests' time is spent on, as the calls note it: their series begin at 0."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = False

    @property
    def accepts(self) -> bool:
        """Whether a request may come in; a model that can start answering on demand says so before it is ready."""
        return bool(self.ready)

    @property
    def alive(self) -> bool:
        """False once something has died that only a new process can bring back."""
        return True

    @abstractmethod
    async def open(self) -> None:
        """Load and warm up, with the ports already open; `ready` turns true when requests can be answered."""

    @abstractmethod
    async def close(self) -> None:
        """Give back threads and connections; called when the last request has been answered."""

    @abstractmethod
    def request_from_v1(self, body: bytes | Json) -> Any:
        """The model's request from V1 JSON; raises InvalidRequest or BadInput."""

    @abstractmethod
    def response_to_v1(self, response: Any) -> dict[str, Any]:
        """The V1 answer."""

    @abstractmethod
    def request_from_v2(self, request: InferRequest) -> Any:
        """The model's request from a V2 one, REST or gRPC; raises InvalidRequest or BadInput."""

    @abstractmethod
    def response_to_v2(self, response: Any, request: InferRequest) -> InferResponse:
        """The V2 answer to that request."""

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the model that answers, as in `model.json`."""

    @abstractmethod
    def metadata(self) -> ModelMetadata:
        """Names, datatypes and shapes of inputs and outputs."""

    @abstractmethod
    def info(self) -> Mapping[str, Any]:
        """What `/model/info` answers."""

    @abstractmethod
    def config_parameters(self) -> Mapping[str, str]:
        """Parameters of the model's config: the fingerprint and what the other side needs to know."""

    def refresh_metrics(self) -> None:
        """Bring up to date what of the model's metrics is only looked at when it is scraped."""

    async def dependencies_ready(self) -> bool:
        """Whether what this model calls can be reached; asked by `GET /ready`, never by Kubernetes' probes."""
        return True

    async def preprocess(self, payload: Any, headers: Any = None) -> Any:
        """Check and prepare the model's request; the type is the model's own, not kserve's."""
        return payload

    @abstractmethod
    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        """The model's response, before `postprocess`."""

    async def postprocess(self, result: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return result

    def validate(self, payload: Any) -> Any:
        """kserve's own checks look at `predictor_protocol`; ours are made where the request is decoded."""
        return payload

    def load(self) -> bool:
        """Never loads: kserve would call this on the event loop for a model that is not ready."""
        return self.ready

    def start(self) -> None:
        """Never marks the model ready: `open` does."""
