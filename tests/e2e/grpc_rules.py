"""A rule of the protocol over gRPC as data: what is sent, what must come back, and what of kserve's that closes."""

import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from typing import Any

import grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.e2e.faces import Face, face_of, process, served_version
from tests.e2e.processes import Pair

SERVICE = "inference.GRPCInferenceService"
REQUEST_ID = "rule-1"


class Deviation(Enum):
    """Where kserve 0.21's own gRPC server leaves the protocol."""

    READY_IS_CONSTANT = "ServerReady never reflects the models"
    VERSIONS_IGNORED = "a version is ignored"
    METADATA_IS_EMPTY = "a model's versions and platform are empty"
    EXTENSIONS_UNTRUE = "extensions leave out the binary data that is accepted"
    OUTPUTS_IGNORED = "requested outputs are ignored"
    SIZE_LEAKS = "binary_data_size leaks into outputs' parameters"
    STATE_IS_UNKNOWN = "a model that cannot answer now is UNKNOWN"
    FAILURE_IS_INVALID = "a failure that is not the client's is INVALID_ARGUMENT"
    MESSAGES_OF_8_MIB = "more than 55 images in one message are RESOURCE_EXHAUSTED"
    NO_SHAPE_CHECK = "data that does not fit its shape is accepted or INTERNAL"
    NO_DIMENSION_CHECK = "negative dimensions are accepted"
    EMPTY_INPUTS_ACCEPTED = "a request without inputs is accepted"
    NAMES_UNCHECKED = "unknown and duplicate names are accepted"
    RANGE_IS_INTERNAL = "an integer out of its datatype's range is INTERNAL"
    SAYS_NOTHING = "the text for a datatype is 'invalid content type', without the tensor's name"


Message = Any
Answer = Any


def anything(answer: Answer, face: Face) -> bool:
    return True


@dataclass(frozen=True)
class Case:
    """One rule: `request` makes the message or its bytes, `holds` judges the answer, `said` is in an error's text.

    `method` is one of the service, or a whole path. `only` names a server, `fails` says why a rule is broken. What gRPC
    itself refuses, `by_grpc`, has neither the request's id nor a code of ours.
    """

    rule: str
    method: str
    request: Callable[[Face], Message]
    holds: Callable[[Answer, Face], bool] = anything
    code: grpc.StatusCode = grpc.StatusCode.OK
    said: str = ""
    closes: Deviation | None = None
    only: str = ""
    fails: str = ""
    by_grpc: bool = False


@dataclass(frozen=True)
class Outcome:
    """Status, the answer if there is one, the status' text, and the trailing metadata."""

    code: grpc.StatusCode
    answer: Answer
    details: str
    trailing: Mapping[str, Any]


def raw(**changes: Any) -> Callable[[Face], Message]:
    """A valid request with raw contents, whose fields may be given otherwise."""
    return lambda face: pb.ModelInferRequest(
        **{"model_name": "photos", "inputs": [tensor_of(face)], "raw_input_contents": [face.raw]} | changes
    )


def with_contents(face: Face) -> Message:
    """The same request with typed contents."""
    return pb.ModelInferRequest(model_name="photos", inputs=[tensor_of(face, contents=face.contents)])


def tensor_of(face: Face, **changes: Any) -> Message:
    return pb.ModelInferRequest.InferInputTensor(
        **{"name": "image", "datatype": face.datatype, "shape": face.shape} | changes
    )


def wish(*names: str) -> list[Message]:
    return [pb.ModelInferRequest.InferRequestedOutputTensor(name=name) for name in names]


def parameters(**values: Any) -> Mapping[str, Message]:
    kinds = {bool: "bool_param", int: "int64_param", str: "string_param"}
    return {name: pb.InferParameter(**{kinds[type(value)]: value}) for name, value in values.items()}


def answered(answer: Answer, face: Face) -> bool:
    """Every output, each of the metadata's datatype, as one raw entry of its own and nothing else."""
    expected = [(each["name"], each["datatype"], face.shapes[each["name"]]) for each in face.outputs]
    described = [(output.name, output.datatype, list(output.shape)) for output in answer.outputs]
    bare = not any(output.HasField("contents") for output in answer.outputs)
    return answer.model_name == "photos" and described == expected and bare and sized(answer)


def sized(answer: Answer) -> bool:
    """As many raw entries as outputs, each as long as its shape and datatype say."""
    sizes = {"FP32": 4, "INT64": 8}
    pairs = list(zip(answer.outputs, answer.raw_output_contents, strict=True))
    numbers = [pair for pair in pairs if pair[0].datatype in sizes]
    return bool(pairs) and all(len(raw) == math.prod(tensor.shape) * sizes[tensor.datatype] for tensor, raw in numbers)


def field_is(name: str, value: object) -> Callable[[Answer, Face], bool]:
    return lambda answer, face: bool(getattr(answer, name) == value)


def outputs_are(*names: str) -> Callable[[Answer, Face], bool]:
    return lambda answer, face: [output.name for output in answer.outputs] == list(names) and sized(answer)


class Asked:
    """One server over one channel."""

    def __init__(self, stack: ExitStack, servers: Pair, server: str) -> None:
        self._channel = stack.enter_context(grpc.insecure_channel(process(servers, server).grpc))
        self._face = face_of(server, served_version(servers))

    def check(self, case: Case) -> None:
        """Call as the case says, and hold status, text, answer and id to its rule."""
        outcome = self._call(case)
        assert outcome.code is case.code, outcome.details
        assert case.said in outcome.details, outcome.details
        assert case.holds(outcome.answer, self._face), str(outcome.answer)[:1000]
        if not case.by_grpc:
            assert outcome.trailing["x-request-id"] == REQUEST_ID
            assert ("error-code" in outcome.trailing) is (case.code is not grpc.StatusCode.OK)

    def _call(self, case: Case) -> Outcome:
        message = case.request(self._face)
        content = message if isinstance(message, bytes) else message.SerializeToString()
        path = case.method if case.method.startswith("/") else f"/{SERVICE}/{case.method}"
        method: Any = self._channel.unary_unary(path)
        try:
            answer, call = method.with_call(content, timeout=30, metadata=(("x-request-id", REQUEST_ID),))
        except grpc.RpcError as error:
            trailing: Any = error.trailing_metadata()
            return Outcome(error.code(), None, str(error.details()), dict(trailing))
        parsed = getattr(pb, f"{case.method}Response").FromString(answer)
        return Outcome(call.code(), parsed, "", dict(call.trailing_metadata()))
