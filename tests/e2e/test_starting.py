"""A server that cannot serve says why in one line, ends with 1, and never listens."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.assets import needs_assets
from tests.bundles import make_bundle
from tests.e2e.processes import Process, free_port

pytestmark = needs_assets

Damage = Callable[[Path], None]


@pytest.fixture
def copy(squeezenet: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(squeezenet, tmp_path / "bundle"))


def ended(module: str, *flags: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a server that should not start."""
    port = str(free_port())
    run = subprocess.run(
        [sys.executable, "-m", module, "--host", "127.0.0.1", "--http_port", port, *flags],
        env={"PATH": "/usr/bin:/bin", "LOG_FORMAT": "json", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "listening" not in run.stderr
    assert "Traceback" not in run.stderr
    return run.returncode, run.stderr


def change_weights(bundle: Path) -> None:
    weights = bundle / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


def remove_labels(bundle: Path) -> None:
    (bundle / "labels.txt").unlink()


def edit(bundle: Path, **fields: Any) -> None:
    record = bundle / "model.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | fields))


DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "weights of another hash": (change_weights, ("model.safetensors", "sha256")),
    "no labels": (remove_labels, ("labels.txt", "no such file")),
    "a label too few": (lambda bundle: edit(bundle, classes=1001), ("labels.txt", "1001", "1000")),
    "weights of another network": (
        lambda bundle: edit(bundle, architecture={"name": "squeezenet1_0"}),
        ("tensor features.0.weight", "[96, 3, 7, 7]", "[64, 3, 3, 3]"),
    ),
    "an unknown network": (
        lambda bundle: edit(bundle, architecture={"name": "squeezenet9"}),
        ("'squeezenet9'", "squeezenet1_1"),
    ),
    "an unknown field": (lambda bundle: edit(bundle, colour="red"), ("model.json", "colour")),
    "no record": (lambda bundle: (bundle / "model.json").unlink(), ("model.json", "no such file")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_predictor_refuses_a_bundle_with(copy: Path, damage: str) -> None:
    spoil, said = DAMAGES[damage]
    spoil(copy)
    code, output = ended("predictor", MODEL_DIR=str(copy), ENGINE="torch")  # which builds the network itself
    assert code == 1
    last = json.loads(output.splitlines()[-1])["message"]
    assert last.startswith("cannot start: ")
    assert all(words in last for words in said), last


def test_a_predictor_refuses_a_directory_that_is_not_there(tmp_path: Path) -> None:
    code, output = ended("predictor", MODEL_DIR=str(tmp_path / "nowhere"))
    assert (code, "model.json: no such file" in output) == (1, True)


def test_untrained_weights_are_served_only_when_that_is_allowed(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "untrained", "--arch", "squeezenet1_1", "--weights", "untrained")
    code, output = ended("predictor", MODEL_DIR=str(bundle))
    assert (code, "ALLOW_UNTRAINED" in output) == (1, True)
    allowed = Process("predictor", {"MODEL_DIR": str(bundle), "ALLOW_UNTRAINED": "true"}, tmp_path / "log").start()
    try:
        allowed.until()
        info = httpx.get(f"{allowed.url}/model/info").json()
        assert (info["model_version"], info["trained"]) == ("untrained", False)
        assert "UNTRAINED" in allowed.log.read_text()
        assert allowed.stop() == 0
    finally:
        allowed.end()


@pytest.mark.parametrize("setting", ["http_port", "grpc_port"])
def test_a_port_in_use_is_named(squeezenet: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = ended("predictor", f"--{setting}={port}", MODEL_DIR=str(squeezenet))
    assert code == 1
    assert f"{setting}: cannot listen on 127.0.0.1:{port}" in output


@pytest.mark.parametrize(
    ("flags", "environment", "said"),
    [
        (("--grpc_port=70000",), {}, "grpc_port: input should be less than or equal to 65535, got '70000'"),
        ((), {"LOG_LEVEL": "loud"}, "log_level"),
        (
            (),
            {"PREDICTOR_HOST": "x", "GRACE_PERIOD_SECONDS": "5"},
            "grace_period_seconds: expected at least request_timeout_seconds (20)",
        ),
        (("--workers=2",), {}, "workers: input should be less than or equal to 1, got '2'"),
        ((), {"PREDICTOR_HOST": "x", "REQUEST_TIMEOUT_SECONDS": "inf"}, "request_timeout_seconds"),
        (("--model_name=a/b",), {}, "model_name"),
        ((), {}, "predictor_host: expected the flag --predictor_host or the variable PREDICTOR_HOST"),
        ((), {"PREDICTOR_HOST": "x", "PREDICTOR_PROTOCOL": "v1"}, "predictor_protocol: input should be 'grpc-v2'"),
        ((), {"PREDICTOR_HOST": "x", "FETCH_ALLOWED_HOSTS": "http://x"}, "fetch_allowed_hosts"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(flags: tuple[str, ...], environment: dict[str, str], said: str) -> None:
    code, output = ended("transformer", *flags, **environment)
    assert code == 1
    assert said in output


@pytest.mark.parametrize(("flags", "environment"), [(("--workers=1",), {}), ((), {"WORKERS": "1"})])
def test_the_one_worker_that_kserve_asks_for_is_no_mistake(flags: tuple[str, ...], environment: dict[str, str]) -> None:
    code, output = ended("predictor", *flags, MODEL_DIR="/nowhere", **environment)
    assert (code, "/nowhere: model.json: no such file" in output) == (1, True), "as far as the bundle"


def test_an_unknown_flag_is_refused() -> None:
    code, output = ended("transformer", "--no_such_flag=1", PREDICTOR_HOST="x")
    assert code == 2
    assert "--no_such_flag" in output


def test_a_flag_wins_over_the_environment(squeezenet: Path, tmp_path: Path) -> None:
    process = Process("predictor", {"MODEL_DIR": str(squeezenet), "MODEL_NAME": "from-environment"}, tmp_path / "log")
    process.command = (sys.executable, "-m")
    process.start().until()
    try:
        assert httpx.get(f"{process.url}/v1/models").json() == {"models": ["from-environment"]}
        assert process.stop() == 0
        flagged = subprocess.Popen(
            [sys.executable, "-m", "predictor", "--model_name=from-flag", f"--http_port={process.http_port}"],
            env={"PATH": "/usr/bin:/bin", "HOST": "127.0.0.1", "GRPC_PORT": "0"} | dict(process.settings),
            stderr=subprocess.DEVNULL,
        )
        process.popen = flagged
        process.until()
        assert httpx.get(f"{process.url}/v1/models").json() == {"models": ["from-flag"]}
    finally:
        process.end()
