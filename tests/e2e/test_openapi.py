"""Both servers' `/openapi.json` tells the truth: every operation's real answers, and errors, are as it says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.assets import needs_assets
from tests.e2e.console import same
from tests.e2e.faces import SERVERS, Face, face_of, process, served_version
from tests.e2e.photo_server import PhotoServer
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, Process, free_port
from tests.e2e.rest_documented import Document, example, form
from tests.e2e.rest_operations import OPERATIONS, PHOTO_URL, OperationCase
from tests.e2e.rest_rules import is_json

pytestmark = needs_assets

CASES = [
    pytest.param(server, case, id=f"{server}: {case.operation} {case.status}")
    for server in SERVERS
    for case in OPERATIONS
    if not case.unready and case.only in {"", server}
]
UNREADY = [pytest.param(case, id=f"{case.operation} {case.status}") for case in OPERATIONS if case.unready]


@dataclass(frozen=True)
class Server:
    """A running server, what it takes, and what it says of itself."""

    url: str
    face: Face
    document: Document
    photo_url: str

    def answer(self, case: OperationCase) -> httpx.Response:
        request = case.request(self.face)
        path = request.path.replace("{version}", self.face.version)
        content = request.content.replace(PHOTO_URL.encode(), self.photo_url.encode())
        return httpx.request(request.method, self.url + path, content=content, headers=request.headers, timeout=30)


@pytest.fixture(scope="module")
def told(servers: Pair, photo_server: PhotoServer) -> Mapping[str, Server]:
    version, photo = served_version(servers), photo_server.url(samples()[0])
    urls = {server: process(servers, server).url for server in SERVERS}
    return {server: Server(url, face_of(server, version), Document(url), photo) for server, url in urls.items()}


@pytest.fixture(scope="module")
def unready(told: Mapping[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A transformer that never met a predictor."""
    settings = {"MODEL_NAME": "photos", "PREDICTOR_HOST": f"127.0.0.1:{free_port()}"}
    alone = Process("transformer", settings, tmp_path_factory.mktemp("alone") / "log").start()
    try:
        alone.until(status=503)
        yield Server(alone.url, told["transformer"].face, Document(alone.url), "")
    finally:
        alone.end()


@pytest.mark.parametrize(("server", "case"), CASES)
def test_an_answer_is_as_told(told: Mapping[str, Server], server: str, case: OperationCase) -> None:
    check(told[server], case)


@pytest.mark.parametrize("case", UNREADY)
def test_an_answer_of_an_unready_server_is_as_told(unready: Server, case: OperationCase) -> None:
    check(unready, case)


def check(server: Server, case: OperationCase) -> None:
    answer = server.answer(case)
    assert answer.status_code == case.status, answer.text[:500]
    operation = server.document.operation(answer)
    assert operation is not None
    assert operation["operationId"] == case.operation
    assert server.document.differences(answer) == []


@pytest.mark.parametrize("server", SERVERS)
def test_every_operation_is_asked_and_refuses_if_it_can(told: Mapping[str, Server], server: str) -> None:
    operations = told[server].document.operations()
    refusing = {name for name, operation in operations.items() if operation["responses"].keys() != {"200"}}
    cases = [case for case in OPERATIONS if case.only in {"", server}]
    assert {case.operation for case in cases if case.status == 200} >= operations.keys()
    assert {case.operation for case in cases if case.status != 200} >= refusing


@pytest.mark.parametrize("server", SERVERS)
def test_an_example_has_the_form_of_a_real_answer(told: Mapping[str, Server], server: str) -> None:
    operations = told[server].document.operations()
    for name in operations.keys() - {"metrics"}:
        cases = [case for case in OPERATIONS if (case.operation, case.status, case.unready) == (name, 200, False)]
        answers = (told[server].answer(case) for case in cases if case.only in {"", server})
        expected = form(example(operations[name], server))
        assert any(form(answer.json()) == expected for answer in answers if is_json(answer)), name


@pytest.mark.parametrize("name", ["v1_predict", "model_infer"])
def test_the_example_of_a_photo_is_answered_by_the_example(told: Mapping[str, Server], name: str) -> None:
    transformer = told["transformer"]
    operation = transformer.document.operations()[name]
    request = operation["requestBody"]["content"]["application/json"]["examples"]["photo"]["value"]
    path = {"v1_predict": "/v1/models/photos:predict", "model_infer": "/v2/models/photos/infer"}[name]
    answer = httpx.post(transformer.url + path, json=request, timeout=30).json()
    expected = example(operation, "transformer")
    assert same(expected | {"model_name": "photos"} if "model_name" in expected else expected, answer)


@pytest.mark.parametrize("server", SERVERS)
def test_the_document_is_valid_openapi(told: Mapping[str, Server], server: str) -> None:
    OpenAPIV31SpecValidator(told[server].document.content).validate()


@pytest.mark.parametrize("query", ["version=9", "model_name=cats"])
def test_a_query_names_no_model_and_no_version(servers: Pair, query: str) -> None:
    for path in ("/v2/models/photos", "/v2/models/stats"):
        assert httpx.get(f"{servers.predictor.url}{path}?{query}").status_code == 200


def test_an_answer_that_is_not_told_is_seen(told: Mapping[str, Server]) -> None:
    document = told["predictor"].document
    request = httpx.Request("GET", "http://x/v2/models/photos/ready")
    for status, answer in ((200, {"name": "photos"}), (404, {"error": "x", "code": "not_ready"}), (418, {})):
        assert document.differences(httpx.Response(status, json=answer, request=request))
