"""A rule of the protocol over REST as data: what is sent, what must come back, and what of kserve's that closes."""

import json
import math
import struct
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx

from tests.e2e.faces import HEADER_LENGTH, Face, Request, face_of, infer, process, served_version
from tests.e2e.processes import Pair
from tests.e2e.rest_documented import Document


class Deviation(Enum):
    """Where kserve 0.21's own REST server leaves the protocol."""

    VALIDATION_IS_422 = "validation errors are 422 with 'detail' instead of 'error'"
    MALFORMED_JSON_IS_422 = "malformed JSON is 422 with 'detail'"
    NO_ERROR_MEMBER = "unknown routes and methods answer 'detail' instead of 'error'"
    READY_IS_CONSTANT = "/v2/health/ready never reflects the models"
    VERSIONS_ARE_501 = "a version in the path is 501"
    SLASH_REDIRECTS = "GET /v2/ redirects to /v2"
    METADATA_IS_EMPTY = "a model's versions are null and its platform is empty"
    EXTENSIONS_UNTRUE = "extensions leave out the binary data that is accepted"
    OPTIONAL_IS_NULL = "optional fields come as null"
    ID_IS_INVENTED = "a request without id is answered with one"
    BINARY_WITHOUT_TYPE = "binary answers have no Content-Type and no Content-Length"
    BINARY_AS_JSON_IS_422 = "binary data under Content-Type application/json is 422"
    NO_TYPE_IS_BINARY = "a request without Content-Type is taken for binary"
    BYTES_MUST_BE_UTF8 = "binary BYTES must be UTF-8"
    WISHES_IGNORED = "requested outputs and binary_data are left to each model"
    NO_SHAPE_CHECK = "data that does not fit its shape is accepted or 500"
    NO_DIMENSION_CHECK = "negative dimensions are accepted"
    EMPTY_INPUTS_ACCEPTED = "empty inputs are accepted"
    TRAILING_BYTES_ACCEPTED = "bytes after the last tensor are accepted"
    TRUNCATED_IS_500 = "a truncated tensor, or a header length inside the JSON, is 500"
    EMPTY_JSON_IS_500 = "{} or [] as the JSON part of binary data is 500"
    HEADER_TEXT_IS_500 = "a header length that is no number is 500"
    ANY_CASE = "datatypes are taken in lower case"
    DATATYPE_UNCHECKED = "an unknown datatype is accepted until a model reads the data"
    FLOATS_TRUNCATED = "floats in an integer tensor are cut to integers"
    RANGE_IS_500 = "an integer out of its datatype's range is 500"
    NAMES_UNCHECKED = "unknown and duplicate names are accepted"


@dataclass(frozen=True)
class Case:
    """One rule: `request` makes what is sent, `holds` judges the answer. `only` names a server, `fails` says why."""

    rule: str
    request: Callable[[Face], Request]
    status: int
    holds: Callable[[httpx.Response, Face], bool]
    closes: Deviation | None = None
    only: str = ""
    fails: str = ""


MODEL, VERSION = "/v2/models/photos", "/v2/models/photos/versions/{version}"
V1_MODEL = "/v1/models/photos"
D = Deviation


def get(path: str) -> Callable[[Face], Request]:
    return lambda face: Request("GET", path)


def asking(**members: Any) -> Callable[[Face], Request]:
    """A valid JSON request with these members besides."""
    return lambda face: infer(face.document(**members))


def typed(content_type: str) -> Callable[[Face], Request]:
    return lambda face: infer(face.document(), content_type=content_type)


def at(path: str) -> Callable[[Face], Request]:
    """A valid JSON request to another path."""
    return lambda face: Request("POST", path, infer(face.document()).content)


# What an answer must be.


def is_json(answer: httpx.Response) -> bool:
    return answer.headers["content-type"] == "application/json"


def true(member: str) -> Callable[[httpx.Response, Face], bool]:
    return lambda answer, face: is_json(answer) and answer.json()[member] is True


def same(member: str, value: object) -> Callable[[httpx.Response, Face], bool]:
    return lambda answer, face: answered(answer, face) and answer.json().get(member) == value


def absent(member: str) -> Callable[[httpx.Response, Face], bool]:
    return lambda answer, face: answered(answer, face) and member not in answer.json()


def server_metadata(answer: httpx.Response, face: Face) -> bool:
    document = answer.json()
    texts = [document["name"], document["version"], *document["extensions"]]
    return is_json(answer) and set(document) == {"name", "version", "extensions"} and all(map(is_text, texts))


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def model_metadata(answer: httpx.Response, face: Face) -> bool:
    document = answer.json()
    project, _, form = document.pop("platform").partition("_")
    expected = {"name": "photos", "versions": [face.version], "inputs": face.inputs, "outputs": face.outputs}
    return is_json(answer) and bool(project and form) and document == expected


def ready_model(answer: httpx.Response, face: Face) -> bool:
    return is_json(answer) and answer.json() == {"name": "photos", "ready": True}


def answered(answer: httpx.Response, face: Face) -> bool:
    """A JSON answer with every output, each complete and of the metadata's datatype."""
    document = answer.json()
    tensors = document["outputs"]
    whole = all(set(tensor) == {"name", "shape", "datatype", "data"} for tensor in tensors)
    fit = all(len(tensor["data"]) == math.prod(tensor["shape"]) for tensor in tensors)
    return is_json(answer) and document["model_name"] == "photos" and whole and fit and described(tensors, face)


def described(tensors: list[dict[str, Any]], face: Face) -> bool:
    expected = [(each["name"], each["datatype"], face.shapes[each["name"]]) for each in face.outputs]
    return [(tensor["name"], tensor["datatype"], tensor["shape"]) for tensor in tensors] == expected


def only_known_members(answer: httpx.Response, face: Face) -> bool:
    known = {"model_name", "model_version", "id", "parameters", "outputs"}
    return set(answer.json()) <= known and "null" not in answer.text


def parameters_are_scalars(answer: httpx.Response, face: Face) -> bool:
    return all(isinstance(value, str | int | float) for value in answer.json().get("parameters", {}).values())


def names(*expected: str) -> Callable[[httpx.Response, Face], bool]:
    return lambda answer, face: [tensor["name"] for tensor in answer.json()["outputs"]] == list(expected)


def all_outputs(answer: httpx.Response, face: Face) -> bool:
    return described(answer.json()["outputs"], face)


def only_last_output(answer: httpx.Response, face: Face) -> bool:
    return names(face.output)(answer, face)


def in_json(answer: httpx.Response, face: Face) -> bool:
    return is_json(answer) and HEADER_LENGTH not in answer.headers and "data" in answer.json()["outputs"][-1]


def in_binary(answer: httpx.Response, face: Face) -> bool:
    """Every output behind the JSON, in its order, nothing left over, with a length that is told beforehand."""
    headers, length = answer.headers, int(answer.headers[HEADER_LENGTH])
    tensors, rest = json.loads(answer.content[:length])["outputs"], answer.content[length:]
    sizes = [tensor["parameters"]["binary_data_size"] for tensor in tensors]
    told = headers["content-length"] == str(len(answer.content)) and "transfer-encoding" not in headers
    bare = not any("data" in tensor for tensor in tensors)
    return headers["content-type"] == "application/octet-stream" and told and bare and sum(sizes) == len(rest)


def numbers_in_binary(answer: httpx.Response, face: Face) -> bool:
    """The last output is one FP32 tensor, little-endian, of probabilities."""
    length = math.prod(face.shapes[face.output])
    values = struct.unpack(f"<{length}f", answer.content[-4 * length :])
    return in_binary(answer, face) and all(0 <= value <= 1 for value in values) and 0.1 < sum(values) < 1.001


def mixed(answer: httpx.Response, face: Face) -> bool:
    """`label` in JSON, `confidence` behind it."""
    length = int(answer.headers[HEADER_LENGTH])
    label, confidence = json.loads(answer.content[:length])["outputs"]
    return len(label["data"]) == 5 and confidence["parameters"] == {"binary_data_size": 20} and "data" not in confidence


def operations(answer: httpx.Response, face: Face) -> bool:
    """The six operations of the protocol, with and without version, each once and under its own method."""
    of_models = {"": "get", "/ready": "get", "/infer": "post"}
    model = "/v2/models/{model_name}"
    required = {
        base + path: method for base in (model, model + "/versions/{version}") for path, method in of_models.items()
    }
    required |= dict.fromkeys(("/v2", "/v2/health/live", "/v2/health/ready"), "get")
    paths = answer.json()["paths"]
    return all(method in paths.get(path, {}) for path, method in required.items())


class Asked:
    """One server, asked over one connection, with no more headers than must be."""

    def __init__(self, stack: ExitStack, servers: Pair, server: str) -> None:
        limits, headers = httpx.Limits(max_connections=1), {"accept-encoding": "identity"}
        url = process(servers, server).url
        self._client = stack.enter_context(httpx.Client(base_url=url, headers=headers, limits=limits, timeout=30))
        self._face = face_of(server, served_version(servers))
        self._document = Document(url)

    def check(self, case: Case) -> None:
        """Send the case's request, hold the answer to its rule and to `/openapi.json`, see the connection live on."""
        request = case.request(self._face)
        path = request.path.replace("{version}", self._face.version)
        content, headers = request.content or None, dict(request.headers)
        answer = self._client.request(request.method, path, content=content, headers=headers)
        assert answer.status_code == case.status, answer.text[:1000]
        assert case.holds(answer, self._face), answer.text[:1000]
        assert self._document.differences(answer) == []
        live = self._client.get("/v2/health/live")
        assert (live.status_code, _connection(live)) == (200, _connection(answer))


def _connection(answer: httpx.Response) -> Any:
    return answer.extensions["network_stream"].get_extra_info("client_addr")
