"""A server that stands in for predictor or transformer: `python -m tests.scripts.fake_server BEHAVIOUR NOTE`.

It writes its process id and settings to NOTE and answers GET /ready and POST /predict on HOST:HTTP_PORT.
"""

import json
import os
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Literal

Behaviour = Literal["good", "dies", "never ready", "dies when asked", "refuses", "answers nonsense", "stubborn"]

SETTINGS = ("MODEL_NAME", "MODEL_DIR", "HOST", "HTTP_PORT", "GRPC_PORT", "PREDICTOR_HOST", "ALLOW_UNTRAINED")

ANSWER = {
    "predictions": [{"class_id": 920, "label": "traffic light", "confidence": 0.75}],
    "preprocessing_time_ms": 3.14,
    "inference_time_ms": 41.5,
    "model_name": "resnet50",
    "model_version": "1",
    "request_id": "a",
}


class Door(BaseHTTPRequestHandler):
    """Answers as the behaviour says; a photo is taken for good when its upload names the file and the classes."""

    behaviour: Behaviour

    def do_GET(self) -> None:
        ready = self.path == "/ready" and self.behaviour != "never ready"
        self._answer(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, {})

    def do_POST(self) -> None:
        upload = self.rfile.read(int(self.headers["content-length"]))
        if self.behaviour == "dies when asked":
            sys.stderr.write("out of memory\n")
            os._exit(3)
        if self.behaviour == "answers nonsense":
            self._answer(HTTPStatus.OK, {"predictions": "none"})
        elif self.path == "/predict" and self.behaviour != "refuses" and b'name="file"; filename=' in upload:
            self._answer(HTTPStatus.OK, ANSWER)
        else:
            self._answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"error": "not an image", "code": "unsupported_media"})

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(behaviour: Behaviour, note: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "stubborn" else lambda *_: sys.exit(0))
    if behaviour == "dies":
        sys.exit("no such weights")
    Door.behaviour = behaviour
    with HTTPServer((os.environ["HOST"], int(os.environ["HTTP_PORT"])), Door) as server:
        settings = {name: os.environ[name] for name in SETTINGS if name in os.environ}
        note.write_text(json.dumps({"pid": os.getpid(), "settings": settings}))
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))  # type: ignore[arg-type]  # the test names one of them
