"""What the protocol over REST must refuse, as a table: every error is JSON that names the field, expected and given."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.faces import HEADER_LENGTH, Face, Request, infer
from tests.e2e.rest_rules import MODEL, V1_MODEL, VERSION, Case, Deviation, asking, get, is_json

D = Deviation


def refusal(said: str) -> Callable[[httpx.Response, Face], bool]:
    def holds(answer: httpx.Response, face: Face) -> bool:
        return is_json(answer) and isinstance(error := answer.json()["error"], str) and said in error

    return holds


def refused(
    rule: str,
    request: Request | Callable[[Face], Request],
    said: str,
    closes: Deviation | None = None,
    status: int = 400,
) -> Case:
    make = (lambda face: request) if isinstance(request, Request) else request
    return Case(f"refuses {rule}", make, status, refusal(said), closes)


def tensor(**changes: Any) -> Request:
    """A request whose only tensor breaks a rule that no model needs to be known for."""
    given = {"name": "image", "datatype": "INT32", "shape": [2], "data": [1, 2]} | changes
    return infer({"inputs": [{name: value for name, value in given.items() if value is not ...}]})


def binary(size: object, raw: bytes, **changes: Any) -> Request:
    """The same, with so many bytes behind it."""
    given = {"name": "image", "datatype": "INT32", "shape": [2], "parameters": {"binary_data_size": size}} | changes
    return infer({"inputs": [given]}, raw)


def odd_shape(face: Face) -> dict[str, Any]:
    """The valid input with one dimension of 1 more."""
    return face.tensor(shape=[*face.shape, 1])


def twice(face: Face) -> Request:
    return infer({"inputs": [face.tensor(), face.tensor()]})


def wish(**members: Any) -> Callable[[Face], Request]:
    """A request for the last output, whose object has these members besides."""
    return lambda face: infer(face.document(outputs=[{"name": face.output} | members]))


def input_parameters(parameters: object) -> Callable[[Face], Request]:
    return lambda face: infer({"inputs": [face.tensor(parameters=parameters)]})


def headed(header: str) -> Request:
    """A small valid JSON body under any header length."""
    content = tensor().content
    return Request("POST", MODEL + "/infer", content, {HEADER_LENGTH: header})


def deep(levels: int) -> Request:
    text = json.dumps({"inputs": [{"name": "image", "datatype": "INT32", "shape": [1], "data": "deep"}]})
    return infer(text.replace('"deep"', "[" * levels + "1" + "]" * levels).encode())


def wrong_path(method: str, path: str, said: str) -> Case:
    content = b"{}" if method == "POST" else b""
    return refused(f"{method} {path}", Request(method, path, content), said, D.NO_ERROR_MEMBER, 404)


def wrong_method(method: str, path: str, allow: str = "GET, HEAD") -> Case:
    def holds(answer: httpx.Response, face: Face) -> bool:
        return refusal(f"method: expected {allow}, got {method}")(answer, face) and answer.headers["allow"] == allow

    return Case(f"refuses {method} {path}", lambda face: Request(method, path), 405, holds, D.NO_ERROR_MEMBER)


SHARED = {"shared_memory_region": "pixels", "shared_memory_byte_size": 8}


def shared(face: Face) -> dict[str, Any]:
    """The input as Triton's client sends it when it lies in shared memory."""
    tensor = face.tensor(parameters=SHARED)
    del tensor["data"]
    return tensor


def not_offered(rule: str, request: Request | Callable[[Face], Request], said: str) -> Case:
    return refused(rule, request, said, status=501)


PATHS = (
    wrong_path("GET", "/v2/nothing", "/v2/nothing"),
    wrong_path("GET", "/v2/models", "/v2/models"),
    wrong_path("GET", "/v2/models/photos/nothing", "nothing"),
    wrong_path("POST", "/v2/models/photos/versions", "versions"),
    wrong_path("GET", "/v2/models/cats", "'cats'"),
    wrong_path("GET", "/v2/models/Photos", "'Photos'"),
    wrong_path("GET", "/v2/models/cats/ready", "'cats'"),
    wrong_path("POST", "/v2/models/cats/infer", "'cats'"),
    wrong_path("GET", "/v2/models/photos/versions/9", "'9'"),
    wrong_path("GET", "/v2/models/photos/versions/9/ready", "'9'"),
    wrong_path("POST", "/v2/models/photos/versions/9/infer", "'9'"),
    wrong_path("GET", "/v2/models/cats/versions/{version}", "'cats'"),
    wrong_method("POST", "/v2/health/live"),
    wrong_method("POST", "/v2/health/ready"),
    wrong_method("POST", "/v2"),
    wrong_method("POST", MODEL),
    wrong_method("DELETE", MODEL),
    wrong_method("POST", VERSION + "/ready"),
    wrong_method("GET", MODEL + "/infer", "POST"),
    wrong_method("PUT", VERSION + "/infer", "POST"),
    wrong_path("GET", "/v1/nothing", "/v1/nothing"),
    wrong_path("GET", "/v1/models/cats", "'cats'"),
    wrong_path("POST", "/v1/models/cats:predict", "'cats'"),
    wrong_path("GET", V1_MODEL + ":nothing", V1_MODEL + ":nothing"),
    wrong_path("POST", V1_MODEL + ":nothing", V1_MODEL + ":nothing"),
    wrong_path("POST", V1_MODEL + "/predict", V1_MODEL + "/predict"),
    wrong_method("POST", "/v1/models"),
    wrong_method("POST", V1_MODEL),
    wrong_method("DELETE", V1_MODEL),
    wrong_method("GET", V1_MODEL + ":predict", "POST"),
    wrong_method("DELETE", V1_MODEL + ":predict", "POST"),
)

NOT_OFFERED = (
    not_offered("an explanation", Request("POST", V1_MODEL + ":explain", b"{}"), "explanations are not offered"),
    not_offered(
        "an input in shared memory", lambda face: infer({"inputs": [shared(face)]}), "shared memory is not offered"
    ),
    not_offered(
        "an output in shared memory",
        lambda face: infer(face.document(outputs=[{"name": face.output, "parameters": SHARED}])),
        "shared memory is not offered",
    ),
)

DOCUMENTS = (
    refused("malformed JSON", infer(b'{"inputs": ['), "malformed JSON", D.MALFORMED_JSON_IS_422),
    refused("an empty body", infer(b""), "JSON", D.MALFORMED_JSON_IS_422),
    refused("a body that is not UTF-8", infer(b'{"id": "\xff"}'), "malformed JSON", D.MALFORMED_JSON_IS_422),
    refused("NaN in JSON", infer(b'{"inputs": NaN}'), "malformed JSON"),
    refused("two JSON values", infer(b'{"inputs": []} {}'), "malformed JSON"),
    refused("a list for a body", infer([]), "body: expected an object, got a list", D.VALIDATION_IS_422),
    refused("a number for a body", infer(7), "body: expected an object, got an integer", D.VALIDATION_IS_422),
    refused("null for a body", infer(None), "body: expected an object, got null", D.VALIDATION_IS_422),
    refused("a request without inputs", infer({}), "a member 'inputs'", D.VALIDATION_IS_422),
    refused("inputs of null", infer({"inputs": None}), "inputs: expected a list", D.VALIDATION_IS_422),
    refused("inputs of an object", infer({"inputs": {}}), "inputs: expected a list", D.VALIDATION_IS_422),
    refused("empty inputs", infer({"inputs": []}), "inputs: expected at least one", D.EMPTY_INPUTS_ACCEPTED),
    refused("an input that is text", infer({"inputs": ["x"]}), "inputs[0]: expected an object", D.VALIDATION_IS_422),
    refused("an integer id", asking(id=42), "id: expected a string, got an integer", D.VALIDATION_IS_422),
    refused("parameters of a list", asking(parameters=[]), "parameters: expected an object", D.VALIDATION_IS_422),
    refused("a parameter of null", asking(parameters={"a": None}), "parameters 'a'", D.VALIDATION_IS_422),
    refused("a nested parameter", asking(parameters={"a": {"b": 1}}), "parameters 'a'", D.VALIDATION_IS_422),
    refused("a parameter of a list", asking(parameters={"a": [1]}), "parameters 'a'", D.VALIDATION_IS_422),
    refused(
        "binary_data_output of text",
        asking(parameters={"binary_data_output": "yes"}),
        "parameters 'binary_data_output': expected true or false",
    ),
    refused("an input's parameter of null", input_parameters({"a": None}), "input 'image' parameters 'a'"),
    refused("an input's parameters of text", input_parameters("x"), "input 'image' parameters"),
)

OUTPUTS = (
    refused("an unknown output", asking(outputs=[{"name": "logits"}]), "'logits'", D.WISHES_IGNORED),
    refused("outputs of text", asking(outputs="x"), "outputs: expected a list", D.VALIDATION_IS_422),
    refused("an output without a name", asking(outputs=[{}]), "outputs[0]", D.VALIDATION_IS_422),
    refused("an output of two names", wish(name=["a", "b"]), "outputs[0].name: expected a string", D.VALIDATION_IS_422),
    refused(
        "an output twice",
        lambda face: infer(face.document(outputs=[{"name": face.output}] * 2)),
        "outputs: expected distinct names",
        D.NAMES_UNCHECKED,
    ),
    refused("binary_data of a number", wish(parameters={"binary_data": 1}), "'binary_data': expected true or false"),
)

TENSORS = (
    refused("an input without a name", tensor(name=...), "inputs[0]: expected a member 'name'", D.VALIDATION_IS_422),
    refused("a name of a number", tensor(name=1), "inputs[0].name: expected a string", D.VALIDATION_IS_422),
    refused("an empty name", tensor(name=""), "inputs[0] name", D.NAMES_UNCHECKED),
    refused("an unknown input", lambda face: infer({"inputs": [face.tensor(name="x")]}), "'x'", D.NAMES_UNCHECKED),
    refused("a name in upper case", lambda face: infer({"inputs": [face.tensor(name="IMAGE")]}), "'IMAGE'"),
    refused(
        "an input besides",
        lambda face: infer({"inputs": [face.tensor(), face.tensor(name="x")]}),
        "inputs: expected",
        D.NAMES_UNCHECKED,
    ),
    refused("an input twice", twice, "inputs: expected distinct names, got 'image' twice", D.NAMES_UNCHECKED),
    refused("an input without a datatype", tensor(datatype=...), "a member 'datatype'", D.VALIDATION_IS_422),
    refused("a datatype of a number", tensor(datatype=8), "input 'image' datatype", D.VALIDATION_IS_422),
    refused("an unknown datatype", tensor(datatype="INT33"), "input 'image' datatype", D.DATATYPE_UNCHECKED),
    refused("a datatype in lower case", tensor(datatype="int32"), "input 'image' datatype", D.ANY_CASE),
    refused("another datatype than the model's", tensor(), "input 'image' datatype: expected"),
    refused("another shape than the model's", lambda face: infer({"inputs": [odd_shape(face)]}), "input 'image' shape"),
    refused("an input without a shape", tensor(shape=...), "a member 'shape'", D.VALIDATION_IS_422),
    refused("a shape of a number", tensor(shape=2), "input 'image' shape: expected a list", D.VALIDATION_IS_422),
    refused("a negative dimension", tensor(shape=[-2]), "shape: expected integers", D.NO_DIMENSION_CHECK),
    refused("two negative dimensions", tensor(shape=[-2, -1]), "shape: expected integers", D.NO_DIMENSION_CHECK),
    refused("a dimension of 2.0", tensor(shape=[2.0]), "shape[0]: expected an integer, got a number"),
    refused("a dimension of true", tensor(shape=[True, 2]), "shape[0]: expected an integer, got true or false"),
    refused("a dimension of text", tensor(shape=["2"]), "shape[0]: expected an integer", D.VALIDATION_IS_422),
    refused("dimensions whose product overflows", tensor(shape=[2**33, 2**33]), "input 'image' shape"),
    refused("a dimension over 64 bits", tensor(shape=[2**64]), "input 'image' shape"),
    refused("hundreds of dimensions", tensor(shape=[1] * 500), "input 'image' shape"),
)

DATA = (
    refused("an input without data", tensor(data=...), "input 'image': expected either 'data'", D.VALIDATION_IS_422),
    refused("data of null", tensor(data=None), "either 'data' or 'binary_data_size'", D.VALIDATION_IS_422),
    refused("data of a number", tensor(data=1), "data: expected a list", D.VALIDATION_IS_422),
    refused("too little data", tensor(data=[1]), "data: expected 2 values for shape [2], got 1", D.NO_SHAPE_CHECK),
    refused("too much data", tensor(data=[1, 2, 3]), "expected 2 values for shape [2], got 3", D.NO_SHAPE_CHECK),
    refused("ragged data", tensor(shape=[2, 2], data=[[1, 2], [3]]), "4 values", D.NO_SHAPE_CHECK),
    refused(
        "data nested otherwise",
        tensor(shape=[2, 3], data=[[1, 2], [3, 4], [5, 6]]),
        "lists nested as",
        D.NO_SHAPE_CHECK,
    ),
    refused("data nested too deep", tensor(data=[[1], [2]]), "input 'image' data", D.NO_SHAPE_CHECK),
    refused("data nested 500 times", deep(500), "input 'image' data"),
    refused("data nested ten thousand times", deep(10_000), "malformed JSON"),
    refused("a float in INT32", tensor(data=[1, 2.5]), "expected integers for INT32, got 2.5", D.FLOATS_TRUNCATED),
    refused("true in INT32", tensor(data=[1, True]), "expected integers for INT32, got true"),
    refused("text in INT32", tensor(data=[1, "2"]), "expected integers for INT32, got a string"),
    refused("null in INT32", tensor(data=[1, None]), "expected integers for INT32, got null", D.VALIDATION_IS_422),
    refused("an object in INT32", tensor(data=[1, {}]), "expected integers for INT32", D.VALIDATION_IS_422),
    refused("300 in UINT8", tensor(datatype="UINT8", data=[1, 300]), "UINT8 from 0 to 255, got 300", D.RANGE_IS_500),
    refused("-1 in UINT64", tensor(datatype="UINT64", data=[1, -1]), "UINT64 from 0 to", D.RANGE_IS_500),
    refused("1e40 in FP32", tensor(datatype="FP32", data=[1, 1e40]), "the range of FP32"),
    refused("1 in BOOL", tensor(datatype="BOOL", data=[True, 1]), "true or false for BOOL, got 1"),
    refused("a number in BYTES", tensor(datatype="BYTES", data=["a", 1]), "data[1]: expected a string, got an integer"),
    refused("FP16 in JSON", tensor(datatype="FP16", data=[1, 2]), "send it as binary data"),
)

BINARY = (
    refused("a header length of text", headed("ten"), HEADER_LENGTH.title(), D.HEADER_TEXT_IS_500),
    refused("a negative header length", headed("-1"), HEADER_LENGTH.title(), D.HEADER_TEXT_IS_500),
    refused("a header length of 1e99", headed("9" * 99), HEADER_LENGTH.title()),
    refused("a header length over the body's", headed("100000"), HEADER_LENGTH.title()),
    refused("a header length inside the JSON", headed("20"), "malformed JSON", D.TRUNCATED_IS_500),
    refused("a header length of 0", headed("0"), "malformed JSON"),
    refused("{} before binary data", infer({}, b"1234"), "a member 'inputs'", D.EMPTY_JSON_IS_500),
    refused("[] before binary data", infer([], b"1234"), "body: expected an object", D.EMPTY_JSON_IS_500),
    refused("a truncated tensor", binary(8, b"1234"), "'image' binary_data_size: expected 0 to 4", D.TRUNCATED_IS_500),
    refused("bytes after the last tensor", binary(8, b"123456789"), "got 1", D.TRAILING_BYTES_ACCEPTED),
    refused("bytes after JSON tensors", lambda face: infer(face.document(), b"1"), "got 1", D.TRAILING_BYTES_ACCEPTED),
    refused("too few bytes for the shape", binary(7, b"1234567"), "8 bytes of INT32 for shape [2]", D.NO_SHAPE_CHECK),
    refused("too many bytes for the shape", binary(9, b"123456789"), "8 bytes of INT32", D.NO_SHAPE_CHECK),
    refused("a negative binary_data_size", binary(-8, b""), "binary_data_size: expected 0 to 0, the bytes left"),
    refused("a binary_data_size of text", binary("8", b"12345678"), "binary_data_size"),
    refused("a binary_data_size of true", binary(True, b"1"), "binary_data_size"),
    refused("binary data and data at once", binary(8, b"12345678", data=[1, 2]), "expected either 'data' or"),
    refused("neither binary data nor data", tensor(data=..., parameters={"a": 1}), "got neither"),
    refused(
        "a BYTES element over its tensor's end",
        binary(6, b"\x03\0\0\0ab", datatype="BYTES", shape=[1]),
        "input 'image'",
        D.TRUNCATED_IS_500,
    ),
    refused(
        "bytes after the last BYTES element",
        binary(6, b"\x01\0\0\0ab", datatype="BYTES", shape=[1]),
        "1 bytes more",
        D.TRAILING_BYTES_ACCEPTED,
    ),
    refused("a byte of 2 in BOOL", binary(2, b"\x01\x02", datatype="BOOL"), "bytes of 0 or 1 for BOOL"),
)

NOT_READY = (
    Case("the server is not ready", get("/v2/health/ready"), 503, refusal("not ready"), D.READY_IS_CONSTANT),
    Case("its model is not ready", get(MODEL + "/ready"), 503, refusal("photos is not ready")),
    Case("its version is not ready", get(VERSION + "/ready"), 503, refusal("photos is not ready"), only="predictor"),
    Case("refuses inferences", asking(), 503, refusal(""), only="transformer"),
    Case(
        "no version is stated before one is known",
        get(MODEL),
        200,
        lambda answer, face: "" not in answer.json()["versions"],
        only="transformer",
    ),
)
"""503, where the ancestor of the specification has any 4xx: probes take both, and it says that a later try may help."""

REFUSALS = (*PATHS, *NOT_OFFERED, *DOCUMENTS, *OUTPUTS, *TENSORS, *DATA, *BINARY)
