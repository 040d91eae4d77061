"""Every error that a client may see, as one tree; each leaf knows its codes and whether trying again helps.

ServiceError                HTTP  gRPC                 code                   retry
├── BadInput                 400  INVALID_ARGUMENT     bad_input              no
├── NotFound                 404  NOT_FOUND            not_found              no
│   └── ModelNotFound        404  NOT_FOUND            model_not_found        no
├── MethodNotAllowed         405  UNIMPLEMENTED        method_not_allowed     no
├── TooLarge                 413  RESOURCE_EXHAUSTED   too_large              no
├── UnsupportedMedia         415  INVALID_ARGUMENT     unsupported_media      no
├── Refused                  422  INVALID_ARGUMENT     refused                no
├── FetchFailed              422  INVALID_ARGUMENT     fetch_failed           no
├── InternalError            500  INTERNAL             internal               no
├── NotOffered               501  UNIMPLEMENTED        not_offered            no
├── BadPrediction            502  INTERNAL             bad_prediction         no
├── Unavailable              503  UNAVAILABLE          unavailable            yes
│   ├── Overloaded           503  UNAVAILABLE          overloaded             yes
│   ├── NotReady             503  UNAVAILABLE          not_ready              yes
│   └── PredictorUnavailable 503  UNAVAILABLE          predictor_unavailable  yes
├── ContractMismatch         503  FAILED_PRECONDITION  contract_mismatch      no
└── DeadlineExceeded         504  DEADLINE_EXCEEDED    deadline_exceeded      no

The text of an error is written for the client: it names the field, what was expected and what was given, and never
holds an exception's text, a path or an address of ours.
"""

import asyncio
import concurrent.futures
import queue
import re
import struct
import zlib
from collections.abc import Iterator
from typing import ClassVar

import cloudevents.exceptions
import google.protobuf.message
import grpc
import kserve.errors
import msgspec

from oip.errors import InvalidRequest, NotOfferedRequest

RETRY_AFTER_SECONDS = 1

ERROR_CODE = "error-code"
"""In gRPC's trailing metadata: the stable code of the leaf, beside gRPC's coarser one."""


class ServiceError(Exception):
    """Root of the tree; never raised itself."""

    status: ClassVar[int]
    grpc_code: ClassVar[grpc.StatusCode]
    code: ClassVar[str]
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers that go with the answer."""
        return {"retry-after": str(RETRY_AFTER_SECONDS)} if self.retryable else {}


class BadInput(ServiceError):
    """The request is malformed or a field is out of its limits."""

    status, grpc_code, code = 400, grpc.StatusCode.INVALID_ARGUMENT, "bad_input"


class NotFound(ServiceError):
    """There is no such route."""

    status, grpc_code, code = 404, grpc.StatusCode.NOT_FOUND, "not_found"


class ModelNotFound(NotFound):
    """There is no such model, or not in that version."""

    code = "model_not_found"


class MethodNotAllowed(ServiceError):
    """The route exists, the method on it does not."""

    status, grpc_code, code = 405, grpc.StatusCode.UNIMPLEMENTED, "method_not_allowed"

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.allow = allow

    @property
    def headers(self) -> dict[str, str]:
        return {"allow": self.allow}


class TooLarge(ServiceError):
    """The request, or the photo behind its URL, has more bytes than we read."""

    status, grpc_code, code = 413, grpc.StatusCode.RESOURCE_EXHAUSTED, "too_large"


class UnsupportedMedia(ServiceError):
    """The bytes are not an image of a format that we read."""

    status, grpc_code, code = 415, grpc.StatusCode.INVALID_ARGUMENT, "unsupported_media"


class Refused(ServiceError):
    """The image could be read, but is over a limit: pixels, frames, shape."""

    status, grpc_code, code = 422, grpc.StatusCode.INVALID_ARGUMENT, "refused"


class FetchFailed(ServiceError):
    """The URL is well-formed and allowed, but no photo came from it."""

    status, grpc_code, code = 422, grpc.StatusCode.INVALID_ARGUMENT, "fetch_failed"


class InternalError(ServiceError):
    """A fault of ours; the log has the rest under the request's id."""

    status, grpc_code, code = 500, grpc.StatusCode.INTERNAL, "internal"


class NotOffered(ServiceError):
    """A part of the protocol that this server does not offer."""

    status, grpc_code, code = 501, grpc.StatusCode.UNIMPLEMENTED, "not_offered"


class BadPrediction(ServiceError):
    """The predictor answered something that is not a prediction."""

    status, grpc_code, code = 502, grpc.StatusCode.INTERNAL, "bad_prediction"


class Unavailable(ServiceError):
    """This server cannot take the request now; another one, or a later try, may."""

    status, grpc_code, code, retryable = 503, grpc.StatusCode.UNAVAILABLE, "unavailable", True


class Overloaded(Unavailable):
    """Every place in the queue is taken."""

    code = "overloaded"


class NotReady(Unavailable):
    """Still loading, or draining."""

    code = "not_ready"


class PredictorUnavailable(Unavailable):
    """The transformer cannot reach its predictor."""

    code = "predictor_unavailable"


class ContractMismatch(ServiceError):
    """Transformer and predictor disagree on the contract; both fingerprints are named."""

    status, grpc_code, code = 503, grpc.StatusCode.FAILED_PRECONDITION, "contract_mismatch"


class DeadlineExceeded(ServiceError):
    """The request's time was over before its answer was there."""

    status, grpc_code, code = 504, grpc.StatusCode.DEADLINE_EXCEEDED, "deadline_exceeded"


def leaves(root: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    """Every error of the tree that has a code."""
    for error in root.__subclasses__():
        yield error
        yield from leaves(error)


UNEXPECTED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    ReferenceError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    asyncio.InvalidStateError,
    asyncio.QueueEmpty,
    asyncio.QueueFull,
    concurrent.futures.CancelledError,
    concurrent.futures.InvalidStateError,
    queue.Empty,
    queue.Full,
    re.error,
    struct.error,
    zlib.error,
    cloudevents.exceptions.GenericException,
    google.protobuf.message.Error,
    grpc.RpcError,
    grpc.aio.InternalError,
    grpc.aio.UsageError,
    kserve.errors.ModelMissingError,
    kserve.errors.ModelNotFound,
    kserve.errors.UnsupportedProtocol,
    msgspec.MsgspecError,
)
"""What a fault of ours can surface as: answered as InternalError at the edge of each transport, logged with its trace.

The classes right below Exception of Python, of the parts of its library and of the packages that a server runs on; what
a model's own packages raise, the model makes leaves of. Starlette's catch-all handler re-raises, and uvicorn then
closes the connection under the client's next request, so they are named."""


def as_service_error(error: Exception) -> ServiceError:
    """The leaf that a client sees for this exception."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, NotOfferedRequest):
        return NotOffered(str(error))
    if isinstance(error, InvalidRequest):
        return BadInput(str(error))
    if isinstance(error, TimeoutError):
        return DeadlineExceeded("the request's deadline is over")
    return InternalError("internal error; the server's log has it under this request's id")
