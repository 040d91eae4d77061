"""A server runs as nobody, on a root that it cannot write to, with no privilege to gain."""

import pytest

from tests.assets import needs_assets
from tests.images.container import Container

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def status(server: Container) -> dict[str, str]:
    """Of process 1, as the kernel has it."""
    lines = server.python("print(open('/proc/1/status').read())").splitlines()
    return {name: " ".join(value.split()) for name, _, value in (line.partition(":") for line in lines)}


def test_the_server_is_process_1(server: Container) -> None:
    command = server.python("print(open('/proc/1/cmdline').read())")
    assert command.split("\0")[:3] == ["python", "-m", server.image]


def test_it_runs_as_nobody(status: dict[str, str]) -> None:
    assert status["Uid"] == "10001 10001 10001 10001"
    assert status["Gid"] == "10001 10001 10001 10001"


def test_it_has_no_capabilities_and_gains_none(status: dict[str, str]) -> None:
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_its_root_is_read_only(server: Container) -> None:
    assert server.python("import os; print(bool(os.statvfs('/').f_flag & os.ST_RDONLY))") == "True"


def test_it_leaves_nothing_in_tmp(server: Container) -> None:
    assert server.python("import os; print(os.access('/tmp', os.W_OK), os.listdir('/tmp'))") == "True []"
