"""docs/api.md tells the truth and leaves nothing out: its commands, its tables, and every door of both servers."""

import re
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from serving import rpc, v2
from serving.errors import ServiceError
from tests.assets import needs_assets
from tests.e2e.console import ROOT, Addresses, commands, documented_servers
from tests.e2e.processes import Pair, Process

pytestmark = [needs_assets, pytest.mark.slow]

DOCUMENT = ROOT / "docs" / "api.md"
TEXT = DOCUMENT.read_text()
COMMANDS = commands(DOCUMENT)
CHAPTERS: dict[str, str] = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))
DOORS = re.findall(r"^### (`(?:GET|POST) [^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def documented(squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Addresses]]:
    with documented_servers(squeezenet, tmp_path_factory.mktemp("api")) as servers:
        yield servers


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_a_command_gives_the_answer_that_stands_there(documented: tuple[Pair, Addresses], number: int) -> None:
    _, addresses = documented
    COMMANDS[number].check(addresses)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door[0])
def test_a_door_has_a_request_with_its_answer(door: tuple[str, str]) -> None:
    _, text = door
    assert "```console\n$ " in text


@pytest.mark.parametrize("door", [door for door in DOORS if "POST" in door[0]], ids=lambda door: door[0])
def test_a_door_that_takes_a_body_has_its_limits_and_its_errors(door: tuple[str, str]) -> None:
    _, text = door
    assert re.search(r"\bLimits?: ", text)
    assert re.search(r"\bErrors?: ", text)


def test_every_rest_door_of_the_transformer_is_told(documented: tuple[Pair, Addresses]) -> None:
    servers, _ = documented
    assert not untold(operations(servers.transformer), CHAPTERS["Both servers"] + CHAPTERS["Transformer"])


def test_every_rest_door_of_the_predictor_is_told(documented: tuple[Pair, Addresses]) -> None:
    servers, _ = documented
    assert not untold(operations(servers.predictor), CHAPTERS["Both servers"] + CHAPTERS["Predictor"])


def test_every_grpc_method_is_told(documented: tuple[Pair, Addresses]) -> None:
    servers, _ = documented
    for process in (servers.transformer, servers.predictor):
        assert not untold(methods(process), CHAPTERS["gRPC"])


def test_every_error_is_told_with_its_codes() -> None:
    rows = [tuple(row) for row in re.findall(r"^\| `(\w+)` \| (\d{3}) \| (\w+) \| (yes|no) \|", TEXT, re.MULTILINE)]
    real = {(leaf.code, str(leaf.status), leaf.grpc_code.name, "yes" if leaf.retryable else "no") for leaf in leaves()}
    assert len(rows) == len(real)
    assert set(rows) == real


def test_every_limit_is_the_default_of_a_setting() -> None:
    rows = re.findall(r"^\| `[A-Z_]+` \| `\d+` \|", TEXT, re.MULTILINE)
    settings = (ROOT / "docs" / "settings.md").read_text()
    assert rows
    assert [row for row in rows if row not in settings] == []


def test_everything_that_is_not_offered_is_told() -> None:
    paths = ["/v2" + path.replace("{rest:path}", "…") for path in v2.NOT_OFFERED]
    assert not untold([*paths, *rpc.NOT_OFFERED, "ModelStreamInfer"], CHAPTERS["Not offered"])


def untold(names: list[str], text: str) -> list[str]:
    assert names
    return [name for name in names if f"`{name}`" not in text]


def operations(process: Process) -> list[str]:
    """`GET /path` of every operation that the server states."""
    paths = httpx.get(f"{process.url}/openapi.json", timeout=30).json()["paths"]
    return [f"{method.upper()} {path}" for path, by_method in paths.items() for method in by_method]


def methods(process: Process) -> list[str]:
    """`service/method` of all that reflection describes."""
    with grpc.insecure_channel(process.grpc) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        services = [pool.FindServiceByName(name) for name in database.get_services()]
        return [f"{service.full_name}/{name}" for service in services for name in service.methods_by_name]


def leaves(kind: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    """Every error below the root that a server raises."""
    for leaf in kind.__subclasses__():
        yield leaf
        yield from leaves(leaf)
