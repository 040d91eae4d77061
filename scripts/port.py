"""TCP ports of this machine's loopback."""

import errno
import socket
from contextlib import ExitStack

from scripts.errors import RunError

HOST = "127.0.0.1"

_WHY = {errno.EADDRINUSE: "is in use", errno.EACCES: "needs more rights than this user has"}


def claim(port: int) -> None:
    """See that a server could listen on `port`; raises RunError when not."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            listener.bind((HOST, port))
        except OSError as error:
            why = _WHY.get(error.errno or 0, f"cannot be listened on ({error.strerror})")
            raise RunError(f"port {port} {why}; choose another with PORT=") from error


def free(count: int) -> list[int]:
    """`count` different ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for unbound in sockets:
            unbound.bind((HOST, 0))
        return [bound.getsockname()[1] for bound in sockets]
