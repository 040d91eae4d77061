"""A loopback server whose photos come late."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

MISSING = "/none"


class SlowPhotos:
    """`/0.7` is the photo after that many seconds."""

    def __init__(self, photo: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == MISSING:
                    self.send_error(404)
                    return
                time.sleep(float(self.path.strip("/")))
                with suppress(OSError):  # whoever asked may not have waited
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(photo)))
                    self.end_headers()
                    self.wfile.write(photo)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"

    def after(self, seconds: float) -> str:
        """The URL of the photo that comes so late."""
        return f"http://{self.host}/{seconds}"

    @property
    def missing(self) -> str:
        """A URL without a photo."""
        return f"http://{self.host}{MISSING}"

    @contextmanager
    def running(self) -> Iterator["SlowPhotos"]:
        Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
