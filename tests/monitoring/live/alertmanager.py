"""A real Alertmanager on loopback, and the webhook that it calls."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.e2e.processes import free_port
from tests.monitoring.live.daemon import found, running, until

CALL_SECONDS = 60


@dataclass(frozen=True)
class Notice:
    """That an alert fires or is resolved, as a receiver was told."""

    receiver: str
    alert: str
    component: str
    status: str


class Webhook:
    """Keeps what it is told; `/{receiver}` is the path for each."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        notices = self.notices

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver = self.path.strip("/")
                notices.extend(
                    Notice(receiver, labels["alertname"], labels.get("component", ""), alert["status"])
                    for alert in told["alerts"]
                    for labels in [alert["labels"]]
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def until(self, notice: Notice, since: int) -> int:
        """Wait until it comes, after the first so many of all; how many those are then."""
        until(lambda: notice in self.notices[since:], f"{notice} in {self.notices[since:]}", CALL_SECONDS)
        return self.notices.index(notice, since) + 1

    @contextmanager
    def running(self) -> Iterator["Webhook"]:
        Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()


@contextmanager
def alertmanager(configuration: Path, home: Path) -> Iterator[str]:
    """Its host and port; it is alone, and looks for no others."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        found("prometheus-alertmanager"),
        f"--config.file={configuration}",
        f"--storage.path={home / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with running(command, f"http://{address}/-/ready", home / "alertmanager.log"):
        yield address
