"""Triton's own Python clients work on both servers: http and grpc, waiting and awaited.

They run as `tests.e2e.triton_client`, a process of its own, once for each server; each test reads what one check gave.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oip.statistics import COMPUTE
from serving.version import EXTENSIONS, NAME, NOT_OFFERED_TEXT, VERSION
from tests.assets import PHOTOS, TOP_FIVE, needs_assets
from tests.e2e.faces import SERVERS, process
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Pair
from tests.e2e.triton_forms import CLIENTS

pytestmark = needs_assets

ROOT = Path(__file__).resolve().parents[2]
CAT = "chelsea.png"
BEST = list(TOP_FIVE[CAT].items())[:3]
NAMES = ["Egyptian cat", "tiger cat", "tabby"]
STATED = 0.002
OUTPUTS = {"predictor": ["probabilities"], "transformer": ["class_id", "label", "confidence"]}
NOT_FOUND = {"http": "404", "grpc": "StatusCode.NOT_FOUND"}
INVALID = {"http": "400", "grpc": "StatusCode.INVALID_ARGUMENT"}
NOT_OFFERED = {"http": "501", "grpc": "StatusCode.UNIMPLEMENTED"}
NO_DOGS = "model: expected one of photos, got 'dogs'"

Given = dict[str, dict[str, Any]]
"""Client to check to the line that the program printed."""


@dataclass(frozen=True)
class Checks:
    """What one client was given by one server."""

    server: str
    client: str
    version: str
    lines: dict[str, Any]

    def __getitem__(self, check: str) -> Any:
        line = self.lines[check]
        assert "failed" not in line, line["failed"]
        return line["given"]

    @property
    def transport(self) -> str:
        return self.client.partition(".")[0]


def run(servers: Pair, server: str, file: Path) -> Given:
    """Both addresses are of loopback and without a scheme, as tritonclient wants them."""
    asked = process(servers, server)
    command = [sys.executable, "-m", "tests.e2e.triton_client", asked.url.removeprefix("http://"), asked.grpc]
    done = subprocess.run(
        [*command, servers.model, server, file], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    given: Given = {client: {} for client in CLIENTS}
    for line in map(json.loads, done.stdout.splitlines()):
        given[line["client"]][line["check"]] = line
    return given


@pytest.fixture(scope="module")
def given(servers: Pair, reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Given]:
    pixels = tmp_path_factory.mktemp("triton") / "cat.npy"
    np.save(pixels, reference.tensor(samples()[0].rgb)[None])
    return {"predictor": run(servers, "predictor", pixels), "transformer": run(servers, "transformer", PHOTOS / CAT)}


@pytest.fixture(params=product(SERVERS, CLIENTS), ids=" ".join)
def checks(request: pytest.FixtureRequest, given: dict[str, Given], version: str) -> Checks:
    server, client = request.param
    return Checks(server, client, version, given[server][client])


over_http = pytest.mark.parametrize("checks", list(product(SERVERS, CLIENTS[:2])), ids=" ".join, indirect=True)


@pytest.fixture(scope="module")
def version(squeezenet: Path) -> str:
    """The bundle's own word, so that no server confirms itself."""
    stated = json.loads((squeezenet / "model.json").read_text())["version"]
    assert isinstance(stated, str)
    return stated


def check_best(rows: list[Any], photos: int = 1) -> None:
    assert len(rows) == photos
    for row in rows:
        assert [class_id for class_id, _ in row] == [class_id for class_id, _ in BEST]
        assert [value for _, value in row] == pytest.approx([value for _, value in BEST], abs=STATED)


def check_classes(row: list[str]) -> None:
    entries = [entry.split(":", 2) for entry in row]
    assert [(int(index), label) for _, index, label in entries] == [
        (class_id, name) for (class_id, _), name in zip(BEST, NAMES, strict=True)
    ]
    assert [float(value) for value, _, _ in entries] == pytest.approx([value for _, value in BEST], abs=STATED)


def check_refused(refused: dict[str, str], checks: Checks, status: dict[str, str], *said: str) -> None:
    assert refused["status"] == status[checks.transport]
    assert all(words in refused["message"] for words in said), refused["message"]


def test_server_and_model_are_live_and_ready(checks: Checks) -> None:
    assert checks["health"] == [True] * 4


def test_server_metadata_names_the_server_and_its_extensions(checks: Checks) -> None:
    assert checks["server_metadata"] == {"name": NAME, "version": VERSION, "extensions": EXTENSIONS}


def test_model_metadata_is_the_same_with_and_without_the_version(checks: Checks) -> None:
    plain, versioned = checks["model_metadata"]
    assert plain == versioned
    assert (plain["name"], plain["versions"]) == ("photos", [checks.version])


TENSORS = {
    "predictor": [("image", "UINT8", [-1, 224, 224, 3]), ("probabilities", "FP32", [-1, 1000])],
    "transformer": [
        ("image", "BYTES", [-1]),
        ("url", "BYTES", [-1]),
        ("class_id", "INT64", [-1, -1]),
        ("label", "BYTES", [-1, -1]),
        ("confidence", "FP32", [-1, -1]),
    ],
}
"""Inputs, then outputs."""


def test_model_metadata_states_the_tensors(checks: Checks) -> None:
    metadata = checks["model_metadata"][0]
    tensors = [*metadata["inputs"], *metadata["outputs"]]
    stated = [(each["name"], each["datatype"], [int(size) for size in each["shape"]]) for each in tensors]
    assert stated == TENSORS[checks.server]


def test_the_config_states_the_tensors_without_the_batch(checks: Checks) -> None:
    config = checks["model_config"]
    stated = [
        (each["name"], each["data_type"], [int(size) for size in each.get("dims", [])])
        for each in [*config["input"], *config["output"]]
    ]
    of_config = {"UINT8": "TYPE_UINT8", "INT64": "TYPE_INT64", "FP32": "TYPE_FP32", "BYTES": "TYPE_STRING"}
    assert stated == [(name, of_config[datatype], shape[1:]) for name, datatype, shape in TENSORS[checks.server]]


def test_the_config_tells_name_batch_and_fingerprint(checks: Checks) -> None:
    config = checks["model_config"]
    assert (config["name"], config["max_batch_size"]) == ("photos", 64)
    assert config["parameters"]["fingerprint"] == {"string_value": "1-bilinear-256-224"}


def test_the_repository_index_lists_the_model_as_ready(checks: Checks) -> None:
    assert checks["repository_index"] == [{"name": "photos", "version": checks.version, "state": "READY"}]


def of_model(answer: dict[str, Any], version: str) -> dict[str, Any]:
    stated: list[dict[str, Any]] = [each for each in answer["model_stats"] if each["version"] == version]
    assert [each["name"] for each in stated] == ["photos"]
    return stated[0]


def number(document: Any, *path: str) -> int:
    """gRPC's JSON has 64-bit numbers as strings, and leaves out a zero."""
    for name in path:
        document = document.get(name, {})
    return int(document or 0)


def test_statistics_count_requests_photos_and_failures(checks: Checks) -> None:
    before, after = (of_model(checks["statistics"][moment], checks.version) for moment in ("before", "after"))
    paths: list[tuple[str, ...]] = [("inference_count",), ("execution_count",)]
    paths += [("inference_stats", part, "count") for part in ("success", "fail", *COMPUTE)]
    assert [number(after, *path) - number(before, *path) for path in paths] == [2, 1, 1, 1, 1, 1, 1, 1]


def test_statistics_add_up(checks: Checks) -> None:
    after = of_model(checks["statistics"]["after"], checks.version)["inference_stats"]
    assert number(after, "success", "ns") > 0
    assert sum(number(after, part, "ns") for part in COMPUTE) == number(after, "success", "ns")


def test_statistics_of_all_models_are_those_of_the_one(checks: Checks) -> None:
    given = checks["statistics"]
    assert of_model(given["everything"], checks.version) == of_model(given["after"], checks.version)


def test_a_photo_gets_its_classes(checks: Checks) -> None:
    check_best(checks["infer"]["best"])


def test_without_a_list_of_outputs_all_are_given(checks: Checks) -> None:
    assert checks["infer"]["outputs"] == OUTPUTS[checks.server]


def test_each_photo_of_a_batch_gets_its_classes(checks: Checks) -> None:
    check_best(checks["infer_a_batch"], photos=3)


def test_outputs_are_given_in_the_order_in_which_they_are_asked_for(checks: Checks) -> None:
    given = checks["infer_named_outputs"]
    assert given["outputs"] == OUTPUTS[checks.server][::-1]
    check_best(given["best"])


def test_only_the_output_that_is_asked_for_is_given(checks: Checks) -> None:
    assert checks["infer_one_output"] == OUTPUTS[checks.server][-1:]


def test_a_version_can_be_asked_for(checks: Checks) -> None:
    assert checks["infer_a_version"] == [checks.version, checks.version]


def test_a_class_count_gives_values_indices_and_labels(checks: Checks) -> None:
    (row,) = checks["class_count"]
    check_classes(row)


@over_http
def test_a_class_count_in_json(checks: Checks) -> None:
    check_classes(checks["class_count_in_json"])


@over_http
@pytest.mark.parametrize("check", ["json_in_and_out", "json_in_and_binary_out", "binary_in_and_json_out"])
def test_json_and_binary_mix(checks: Checks, check: str) -> None:
    check_best(checks[check])


def test_compressed_requests_and_answers(checks: Checks) -> None:
    for best in checks["compression"]:  # of gzip and of deflate
        check_best(best)


def test_a_request_id_is_echoed_only_when_given(checks: Checks) -> None:
    assert checks["request_id"] == ["a cat, 1", None]


def test_tritons_own_parameters_are_no_obstacle(checks: Checks) -> None:
    check_best(checks["tritons_own_parameters"])


def test_asynchronous_requests_each_get_their_own_answer(checks: Checks) -> None:
    given = checks["asynchronous"]
    assert given.keys() == {"one", "two", "three", "four"}
    for best in given.values():
        check_best(best)


def test_an_asynchronous_request_is_told_why_it_is_refused(checks: Checks) -> None:
    check_refused(checks["asynchronous_refusal"], checks, NOT_FOUND, NO_DOGS)


METHODS = ["get_model_metadata", "get_model_config", "get_inference_statistics", "infer"]


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_model_is_named(checks: Checks, method: str) -> None:
    check_refused(checks["unknown_model"][method], checks, NOT_FOUND, NO_DOGS)


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_version_is_named(checks: Checks, method: str) -> None:
    said = f"version of model photos: expected {checks.version!r}, got '9'"
    check_refused(checks["unknown_version"][method], checks, NOT_FOUND, said)


def test_an_unknown_model_or_version_is_not_ready(checks: Checks) -> None:
    expected = {"http": False, "grpc": NOT_FOUND["grpc"]}[checks.transport]
    assert checks["readiness_of_the_unknown"] == [expected, expected]


def test_an_unknown_input_is_named(checks: Checks) -> None:
    check_refused(checks["unknown_input"], checks, INVALID, "inputs: expected", "'image'", "got 'cat'")


def test_an_unknown_output_is_named(checks: Checks) -> None:
    check_refused(checks["unknown_output"], checks, INVALID, "outputs: expected", *OUTPUTS[checks.server], "got 'cat'")


def test_what_is_not_offered_says_so(checks: Checks) -> None:
    for refused in checks["not_offered"].values():
        check_refused(refused, checks, NOT_OFFERED, NOT_OFFERED_TEXT)


@pytest.mark.parametrize("tensor", ["input", "output"])
def test_shared_memory_is_not_offered(checks: Checks, tensor: str) -> None:
    said = f"{tensor} '{'image' if tensor == 'input' else OUTPUTS[checks.server][-1]}' parameters"
    check_refused(checks["shared_memory"][tensor], checks, NOT_OFFERED, said, "shared memory is not offered")
