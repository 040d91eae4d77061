"""A loopback server that photos are fetched from."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote, unquote

from tests.e2e.photos import Sample


class PhotoServer:
    """Serves samples by name at `http://127.0.0.1:{port}/{name}`."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        content = {f"/{sample.name}": sample.data for sample in samples}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = content[unquote(self.path)]
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def url(self, sample: Sample) -> str:
        return f"http://{self.host}/{quote(sample.name)}"

    @contextmanager
    def running(self) -> Iterator["PhotoServer"]:
        Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
