"""What the protocol over gRPC must refuse, as a table: the code says whose fault it is, the text names the field."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.e2e.faces import Face
from tests.e2e.grpc_rules import SERVICE, Case, Deviation, Message, parameters, raw, tensor_of, wish

D = Deviation
Code = grpc.StatusCode


def refused(
    rule: str,
    request: Message | Callable[[Face], Message],
    said: str,
    closes: Deviation | None = None,
    code: grpc.StatusCode = Code.INVALID_ARGUMENT,
    method: str = "ModelInfer",
) -> Case:
    make = request if callable(request) else lambda face: request
    return Case(f"refuses {rule}", method, make, code=code, said=said, closes=closes)


def unknown(rule: str, method: str, request: Message | Callable[[Face], Message], said: str) -> Case:
    closes = D.VERSIONS_IGNORED if "version" in rule else None
    return refused(rule, request, said, closes, Code.NOT_FOUND, method)


def unimplemented(path: str, *, by_grpc: bool = True) -> Case:
    return replace(refused(path, b"", "", None, Code.UNIMPLEMENTED, path), by_grpc=by_grpc)


def tensor(raws: Sequence[bytes] = (), contents: dict[str, Any] | None = None, **changes: Any) -> Message:
    """A request whose only tensor breaks a rule that no model needs to be known for."""
    given = {"name": "image", "datatype": "INT32", "shape": [2]} | changes
    message = pb.ModelInferRequest.InferInputTensor(**given, contents=contents)
    return pb.ModelInferRequest(model_name="photos", inputs=[message], raw_input_contents=raws)


def ints(*values: int, **changes: Any) -> Message:
    return tensor(contents={"int_contents": values}, **changes)


def two_inputs(other: str) -> Callable[[Face], Message]:
    """The valid input and the same again under another name."""
    return lambda face: pb.ModelInferRequest(
        model_name="photos",
        inputs=[tensor_of(face), tensor_of(face, name=other)],
        raw_input_contents=[face.raw, face.raw],
    )


def raw_and_contents(face: Face) -> Message:
    inputs = [tensor_of(face, contents=face.contents)]
    return pb.ModelInferRequest(model_name="photos", inputs=inputs, raw_input_contents=[face.raw])


NAMES = (
    unknown("a model of another name", "ModelInfer", raw(model_name="cats"), "'cats'"),
    unknown("a model in upper case", "ModelInfer", raw(model_name="PHOTOS"), "'PHOTOS'"),
    unknown("no model", "ModelInfer", raw(model_name=""), "''"),
    unknown("another version", "ModelInfer", raw(model_version="9"), "'9'"),
    unknown("readiness of another model", "ModelReady", pb.ModelReadyRequest(name="cats"), "'cats'"),
    unknown("readiness of another version", "ModelReady", pb.ModelReadyRequest(name="photos", version="9"), "'9'"),
    unknown("metadata of another model", "ModelMetadata", pb.ModelMetadataRequest(name="cats"), "'cats'"),
    unknown("metadata of another version", "ModelMetadata", pb.ModelMetadataRequest(name="photos", version="9"), "'9'"),
    unimplemented(f"/{SERVICE}/Nothing"),
    unimplemented(f"/{SERVICE}/ModelStreamInfer", by_grpc=False),
    unimplemented("/inference.Nothing/ModelInfer"),
)

MESSAGES = (
    refused("a malformed message", b"\xff\xff\xff", "message: expected one of the protocol's"),
    refused("no inputs", pb.ModelInferRequest(model_name="photos"), "inputs", D.EMPTY_INPUTS_ACCEPTED),
    Case(
        "refuses a message over the limit",
        "ModelInfer",
        raw(raw_input_contents=[bytes(33 << 20)]),
        code=Code.RESOURCE_EXHAUSTED,
        by_grpc=True,
    ),
    Case(
        "refuses a photo over the limit",
        "ModelInfer",
        raw(raw_input_contents=[(11 << 20).to_bytes(4, "little") + bytes(11 << 20)]),
        code=Code.RESOURCE_EXHAUSTED,
        said="10485760",
        only="transformer",
    ),
    refused("a parameter without a value", raw(parameters={"a": pb.InferParameter()}), "parameters 'a'"),
    refused(
        "an input's parameter without a value",
        lambda face: raw(inputs=[tensor_of(face, parameters={"a": pb.InferParameter()})])(face),
        "input 'image' parameters 'a'",
    ),
    refused("an unknown output", raw(outputs=wish("logits")), "'logits'", D.OUTPUTS_IGNORED),
    refused("an output without a name", raw(outputs=wish("")), "outputs[0] name", D.OUTPUTS_IGNORED),
    refused(
        "an output twice",
        lambda face: raw(outputs=wish(face.output, face.output))(face),
        "outputs: expected distinct names",
        D.OUTPUTS_IGNORED,
    ),
    refused("an input twice", two_inputs("image"), "inputs: expected distinct names", D.NAMES_UNCHECKED),
    refused("an input besides", two_inputs("x"), "inputs: expected", D.NAMES_UNCHECKED),
    refused("an unknown input", lambda face: raw(inputs=[tensor_of(face, name="x")])(face), "'x'", D.NAMES_UNCHECKED),
    refused("an input without a name", ints(1, 2, name=""), "inputs[0] name", D.NAMES_UNCHECKED),
    Case(
        "a request for another contract is FAILED_PRECONDITION",
        "ModelInfer",
        raw(parameters=parameters(fingerprint="1-bilinear-1-1")),
        code=Code.FAILED_PRECONDITION,
        said="'1-bilinear-1-1'",
        closes=D.FAILURE_IS_INVALID,
        only="predictor",
    ),
)

TENSORS = (
    refused("an unknown datatype", ints(1, 2, datatype="INT33"), "input 'image' datatype: expected one of"),
    refused("a datatype in lower case", ints(1, 2, datatype="int32"), "input 'image' datatype", D.SAYS_NOTHING),
    refused("no datatype", ints(1, 2, datatype=""), "input 'image' datatype", D.SAYS_NOTHING),
    refused("another datatype than the model's", ints(1, 2), "input 'image' datatype: expected"),
    refused(
        "another shape than the model's",
        lambda face: raw(inputs=[tensor_of(face, shape=[*face.shape, 1])])(face),
        "input 'image' shape",
    ),
    refused("a negative dimension", ints(1, 2, shape=[-2]), "'image' shape: expected integers", D.NO_DIMENSION_CHECK),
    refused("two negative dimensions", ints(1, 2, shape=[-2, -1]), "'image' shape", D.NO_DIMENSION_CHECK),
    refused("dimensions whose product overflows", ints(1, 2, shape=[2**33, 2**33]), "input 'image' shape"),
    refused("hundreds of dimensions", ints(1, 2, shape=[1] * 500), "input 'image' shape"),
    refused("too few values", ints(1), "data: expected 2 values for shape [2], got 1", D.NO_SHAPE_CHECK),
    refused("too many values", ints(1, 2, 3), "data: expected 2 values for shape [2], got 3", D.NO_SHAPE_CHECK),
    refused("no data", tensor(), "input 'image'", D.NO_SHAPE_CHECK),
    refused("values of another field", tensor(contents={"fp32_contents": [1, 2]}), "contents: expected int_contents"),
    refused(
        "values of two fields",
        tensor(contents={"int_contents": [1, 2], "fp32_contents": [1, 2]}),
        "contents: expected int_contents",
    ),
    refused("300 in INT8", ints(1, 300, datatype="INT8"), "INT8 from -128 to 127, got 300", D.RANGE_IS_INTERNAL),
    refused(
        "256 in UINT8",
        tensor(contents={"uint_contents": [1, 256]}, datatype="UINT8"),
        "UINT8 from 0 to 255, got 256",
        D.RANGE_IS_INTERNAL,
    ),
    refused("FP16 in contents", tensor(contents={"fp32_contents": [1, 2]}, datatype="FP16"), "send it as raw contents"),
)

RAW = (
    refused("raw and typed contents at once", raw_and_contents, "image"),
    refused(
        "more raw contents than inputs", tensor([b"12345678", b"1"]), "raw_input_contents: expected 1", D.NO_SHAPE_CHECK
    ),
    refused(
        "fewer raw contents than inputs",
        lambda face: pb.ModelInferRequest(
            model_name="photos", inputs=[tensor_of(face), tensor_of(face, name="x")], raw_input_contents=[face.raw]
        ),
        "raw_input_contents: expected 2",
        D.NO_SHAPE_CHECK,
    ),
    refused("too few bytes", tensor([b"1234567"]), "8 bytes of INT32 for shape [2], got 7", D.NO_SHAPE_CHECK),
    refused("too many bytes", tensor([b"123456789"]), "8 bytes of INT32 for shape [2], got 9", D.NO_SHAPE_CHECK),
    refused(
        "a BYTES element over its tensor's end",
        tensor([b"\x03\0\0\0ab"], datatype="BYTES", shape=[1]),
        "input 'image'",
        D.NO_SHAPE_CHECK,
    ),
    refused(
        "bytes after the last BYTES element",
        tensor([b"\x01\0\0\0ab"], datatype="BYTES", shape=[1]),
        "1 bytes more",
        D.NO_SHAPE_CHECK,
    ),
    refused("a byte of 2 in BOOL", tensor([b"\x01\x02"], datatype="BOOL"), "bytes of 0 or 1 for BOOL"),
)

REFUSALS = (*NAMES, *MESSAGES, *TENSORS, *RAW)
