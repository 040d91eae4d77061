"""What a client did wrong is said in one form, with the right status, on every door, and never breaks a neighbour."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from PIL import Image

from tests.assets import needs_assets
from tests.e2e.photos import samples
from tests.e2e.processes import Pair

pytestmark = needs_assets


@pytest.fixture(scope="module", autouse=True)
def no_fault(servers: Pair) -> Iterator[None]:
    """Nothing of what these tests send may be a fault of the servers: no traceback, no 500 in either log."""
    yield
    for process in (servers.transformer, servers.predictor):
        assert "Traceback" not in process.log.read_text()
        assert not [line for line in process.log_lines() if line.get("status") in {500, "INTERNAL", "UNKNOWN"}]


V1, V2 = "/v1/models/photos:predict", "/v2/models/photos/infer"
PNG = {"content-type": "image/png"}


def photo() -> bytes:
    return samples()[0].data


def truncated_jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (300, 200), "teal").save(buffer, "JPEG")
    return buffer.getvalue()[:700]


def huge_png() -> bytes:
    buffer = BytesIO()
    Image.new("1", (9000, 9000)).save(buffer, "PNG")
    return buffer.getvalue()


def thin() -> bytes:
    buffer = BytesIO()
    Image.new("L", (5000, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def animation() -> bytes:
    buffer = BytesIO()
    frames = [Image.new("L", (40, 40), level) for level in (0, 128, 255)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def v2(**changes: Any) -> dict[str, Any]:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64(photo())]}
    return {"inputs": [tensor | changes]}


def form(data: bytes = b"", **fields: str) -> dict[str, Any]:
    return {"files": {"file": ("photo", data or photo())}, "data": fields}


CASES: dict[str, tuple[str, dict[str, Any], int, str, str]] = {
    "an empty upload": ("/predict", {"files": {"file": ("a.jpg", b"")}}, 400, "bad_input", "file"),
    "an empty body": ("/predict", {"content": b"", "headers": PNG}, 400, "bad_input", "body"),
    "a form without a file": ("/predict", {"files": {"photo": ("a", b"x")}}, 400, "bad_input", "file"),
    "a form with text for a file": ("/predict", {"files": {"file": (None, "x")}}, 400, "bad_input", "file"),
    "text as an image": ("/predict", form(b"hello, I am text"), 415, "unsupported_media", "file"),
    "a PDF as an image": ("/predict", {"content": b"%PDF-1.7", "headers": PNG}, 415, "unsupported_media", "body"),
    "a body of another kind": ("/predict", {"json": {"a": 1}}, 415, "unsupported_media", "content-type"),
    "a truncated JPEG": ("/predict", form(truncated_jpeg()), 400, "bad_input", "file"),
    "too many pixels": ("/predict", form(huge_png()), 422, "refused", "81000000"),
    "an animation": ("/predict", form(animation()), 422, "refused", "frame"),
    "too many bytes": ("/predict", {"content": b"x" * 10_500_000, "headers": PNG}, 413, "too_large", "10485760"),
    "a body that is not as zipped as it says": (
        "/predict",
        {"content": photo(), "headers": PNG | {"content-encoding": "gzip"}},
        400,
        "bad_input",
        "body: expected gzip",
    ),
    "top_k of 0": ("/predict", form(top_k="0"), 400, "bad_input", "top_k: expected an integer from 1 to 1000, got 0"),
    "top_k below 0": ("/predict", form(top_k="-3"), 400, "bad_input", "from 1 to 1000, got -3"),
    "top_k over the classes": ("/predict", form(top_k="1001"), 400, "bad_input", "from 1 to 1000, got 1001"),
    "top_k that is no number": ("/predict", form(top_k="five"), 400, "bad_input", "from 1 to 1000, got 'five'"),
    "top_k in other digits": ("/predict", form(top_k="\u0665"), 400, "bad_input", "top_k"),
    "a form in a charset that decodes nothing": (
        "/predict",
        {
            "content": b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--B--\r\n',
            "headers": {"content-type": "multipart/form-data; boundary=B; charset=undefined"},
        },
        400,
        "bad_input",
        "charset",
    ),
    "a picture too thin": (V1, {"json": {"instances": [{"image": {"b64": b64(thin())}}]}}, 422, "refused", "[0].image"),
    "no url": ("/predict/url", {"json": {}}, 400, "bad_input", "url"),
    "a url that is a number": ("/predict/url", {"json": {"url": 7}}, 400, "bad_input", "url"),
    "a list for a body": ("/predict/url", {"json": ["x"]}, 400, "bad_input", "body"),
    "a url of a private host": (
        "/predict/url",
        {"json": {"url": "http://127.0.0.1/secret"}},
        400,
        "bad_input",
        "url",
    ),
    "V1 without instances": (V1, {"json": {}}, 400, "bad_input", "instances"),
    "V1 with empty instances": (V1, {"json": {"instances": []}}, 400, "bad_input", "instances"),
    "V1 with 65 instances": (V1, {"json": {"instances": [{"url": "x"}] * 65}}, 400, "bad_input", "1 to 64"),
    "V1 with neither image nor url": (V1, {"json": {"instances": [{"a": 1}]}}, 400, "bad_input", "instances[0]"),
    "V1 with image and url at once": (
        V1,
        {"json": {"instances": [{"image": {"b64": "aa"}, "url": "x"}]}},
        400,
        "bad_input",
        "instances[0]",
    ),
    "V1 with bad base64": (
        V1,
        {"json": {"instances": [{"image": {"b64": "no!"}}]}},
        400,
        "bad_input",
        "instances[0].image.b64",
    ),
    "V1 with the second photo broken": (
        V1,
        {"json": {"instances": [{"image": {"b64": b64(photo())}}, {"image": {"b64": b64(truncated_jpeg())}}]}},
        400,
        "bad_input",
        "instances[1].image.b64",
    ),
    "V1 with a top_k of text": (
        V1,
        {"json": {"instances": [{"image": {"b64": b64(photo())}}], "parameters": {"top_k": "5"}}},
        400,
        "bad_input",
        "top_k",
    ),
    "V1 with a top_k of true": (
        V1,
        {"json": {"instances": [{"image": {"b64": b64(photo())}}], "parameters": {"top_k": True}}},
        400,
        "bad_input",
        "top_k",
    ),
    "V1 with a list for a body": (V1, {"json": [1]}, 400, "bad_input", "body"),
    "V1 that is no JSON": (V1, {"content": b"{"}, 400, "bad_input", "JSON"),
    "V1 for an unknown model": ("/v1/models/cats:predict", {"json": {}}, 404, "model_not_found", "'cats'"),
    "V2 for an unknown model": ("/v2/models/cats/infer", {"json": v2()}, 404, "model_not_found", "'cats'"),
    "V2 for an unknown version": (
        "/v2/models/photos/versions/9/infer",
        {"json": v2()},
        404,
        "model_not_found",
        "'9'",
    ),
    "V2 without inputs": (V2, {"json": {}}, 400, "bad_input", "inputs"),
    "V2 with neither image nor url": (V2, {"json": v2(name="picture")}, 400, "bad_input", "'picture'"),
    "V2 with image and url at once": (
        V2,
        {"json": {"inputs": v2()["inputs"] + v2(name="url")["inputs"]}},
        400,
        "bad_input",
        "inputs",
    ),
    "V2 with another datatype": (V2, {"json": v2(datatype="FP32", data=[1.0])}, 400, "bad_input", "BYTES"),
    "V2 with another rank": (V2, {"json": v2(shape=[1, 1])}, 400, "bad_input", "shape"),
    "V2 with another count": (V2, {"json": v2(shape=[2])}, 400, "bad_input", "image"),
    "V2 with an unknown output": (V2, {"json": v2() | {"outputs": [{"name": "x"}]}}, 400, "bad_input", "outputs"),
    "an unknown route": ("/v3/anything", {"json": {}}, 404, "not_found", "/v3/anything"),
    "a wrong method": ("/health", {"json": {}}, 405, "method_not_allowed", "POST"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_transformer_refuses(servers: Pair, case: str) -> None:
    path, request, status, code, said = CASES[case]
    with httpx.Client(base_url=servers.transformer.url, timeout=30) as client:
        answer = client.post(path, **request)
        check(answer, status, code, said)
        assert client.get("/health").status_code == 200, "the connection is still good"


@pytest.mark.parametrize("top_k", [1, 2, 999, 1000])
def test_top_k_may_be_from_one_to_all_classes(servers: Pair, top_k: int) -> None:
    answer = httpx.post(f"{servers.transformer.url}/predict", **form(top_k=str(top_k)), timeout=30)
    predictions = answer.json()["predictions"]
    assert len({prediction["class_id"] for prediction in predictions}) == top_k
    assert sum(prediction["confidence"] for prediction in predictions) <= 1.001


def tensor(**changes: Any) -> dict[str, Any]:
    given = {"name": "image", "datatype": "UINT8", "shape": [1, 224, 224, 3], "data": [0] * (224 * 224 * 3)}
    return {"inputs": [given | changes]}


def wanting(k: object) -> dict[str, Any]:
    return tensor() | {"outputs": [{"name": "probabilities", "parameters": {"classification": k}}]}


PREDICTOR_CASES: dict[str, tuple[str, dict[str, Any], int, str, str]] = {
    "another name": (V2, {"json": tensor(name="picture")}, 400, "bad_input", "'image'"),
    "another datatype": (V2, {"json": tensor(datatype="FP32")}, 400, "bad_input", "UINT8"),
    "another size": (V2, {"json": tensor(shape=[1, 3, 224, 224])}, 400, "bad_input", "[1, 3, 224, 224]"),
    "no image at all": (V2, {"json": tensor(shape=[0, 224, 224, 3], data=[])}, 400, "bad_input", "1 to 64"),
    "classification of 0": (V2, {"json": wanting(0)}, 400, "bad_input", "from 1 to 1000, got 0"),
    "classification of 1001": (V2, {"json": wanting(1001)}, 400, "bad_input", "from 1 to 1000, got 1001"),
    "classification of text": (V2, {"json": wanting("5")}, 400, "bad_input", "from 1 to 1000"),
    "an unknown output": (V2, {"json": tensor() | {"outputs": [{"name": "logits"}]}}, 400, "bad_input", "logits"),
    "V1 of another size": (V1, {"json": {"instances": [[[0, 0, 0]]]}}, 400, "bad_input", "[1, 224, 224, 3]"),
    "V1 with empty instances": (V1, {"json": {"instances": []}}, 400, "bad_input", "instances"),
    "an unknown model": ("/v2/models/cats/infer", {"json": tensor()}, 404, "model_not_found", "'cats'"),
    "a very long fingerprint": (
        V2,
        {"json": tensor() | {"parameters": {"fingerprint": "x" * 60_000}}},
        503,
        "contract_mismatch",
        "xxxxx...",
    ),
    "another fingerprint": (
        V2,
        {"json": tensor() | {"parameters": {"fingerprint": "1-bilinear-232-224"}}},
        503,
        "contract_mismatch",
        "'1-bilinear-256-224', the request's is '1-bilinear-232-224'",
    ),
}


@pytest.mark.parametrize("case", PREDICTOR_CASES)
def test_the_predictor_refuses(servers: Pair, case: str) -> None:
    path, request, status, code, said = PREDICTOR_CASES[case]
    check(httpx.post(servers.predictor.url + path, **request, timeout=30), status, code, said)


def check(answer: httpx.Response, status: int, code: str, said: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert list(document) == ["error", "code"]
    assert document["code"] == code
    assert said in document["error"]


def test_a_malformed_message_is_an_invalid_argument_without_a_trace(servers: Pair) -> None:
    with grpc.insecure_channel(servers.predictor.grpc) as channel:
        infer: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        with pytest.raises(grpc.RpcError) as caught:
            infer(b"\xff\xff\xff", timeout=30)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "message: expected one of the protocol's, got 3 other bytes"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"model_name": "cats"}, grpc.StatusCode.NOT_FOUND, "'cats'"),
        ({"model_version": "9"}, grpc.StatusCode.NOT_FOUND, "'9'"),
        ({"raw_input_contents": [b"short"]}, grpc.StatusCode.INVALID_ARGUMENT, "image"),
        ({"inputs": []}, grpc.StatusCode.INVALID_ARGUMENT, "inputs"),
    ],
)
def test_grpc_refuses_with_the_code_that_says_why(
    servers: Pair, change: dict[str, Any], code: grpc.StatusCode, said: str
) -> None:
    image = pb.ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=[1, 224, 224, 3])
    request = {"model_name": "photos", "inputs": [image], "raw_input_contents": [bytes(224 * 224 * 3)]} | change
    if not request["inputs"]:
        del request["raw_input_contents"]
    with grpc.insecure_channel(servers.predictor.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        GRPCInferenceServiceStub(channel).ModelInfer(pb.ModelInferRequest(**request), timeout=30)
    assert caught.value.code() is code
    assert said in str(caught.value.details())
