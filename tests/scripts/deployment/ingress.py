"""An ingress of one's own: answers what a test says, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = json.dumps(
    {
        "predictions": [{"class_id": 920, "label": "traffic light", "confidence": 0.75}],
        "preprocessing_time_ms": 1.0,
        "inference_time_ms": 2.0,
        "model_name": "image-classifier",
        "model_version": "1",
    }
)


@dataclass(frozen=True)
class Asked:
    """One request; header names are in lower case."""

    line: str
    headers: dict[str, str]
    content: bytes


@dataclass
class Ingress:
    """`answers` are given in turn, the last of them for ever."""

    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, ANSWER)])
    asked: list[Asked] = field(default_factory=list)
    address: str = ""


@contextmanager
def ingress(*answers: tuple[int, str]) -> Iterator[Ingress]:
    """Serve until the block ends."""
    served = Ingress(list(answers)) if answers else Ingress()

    class Handler(_Handler):
        known = served

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        served.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    known: Ingress
    wbufsize = -1  # head and body in one packet

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.known.asked.append(Asked(f"{self.command} {self.path}", headers, content))
        status, text = self.known.answers.pop(0) if len(self.known.answers) > 1 else self.known.answers[0]
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
