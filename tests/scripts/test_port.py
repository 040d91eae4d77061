import socket

import pytest

from scripts.errors import RunError
from scripts.port import HOST, claim, free


def test_free_ports_differ_and_can_be_claimed() -> None:
    ports = free(3)
    assert len(set(ports)) == 3
    for port in ports:
        claim(port)


@pytest.mark.parametrize("listening_on", [HOST, "0.0.0.0"])  # noqa: S104  # never connected to
def test_a_port_in_use_is_refused_with_the_way_out(listening_on: str) -> None:
    with socket.create_server((listening_on, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(RunError, match=f"^port {port} is in use; choose another with PORT=$"):
            claim(port)
