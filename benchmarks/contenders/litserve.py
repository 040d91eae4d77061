"""(e) LitServe, as its documentation writes one, around the same eager model."""

from pathlib import Path
from typing import Any

import litserve
from fastapi import Request

from benchmarks.contenders.arguments import arguments
from benchmarks.contenders.eager import Eager
from scripts.port import HOST


class Classifier(litserve.LitAPI):  # type: ignore[misc]  # not installed where types are checked
    """One worker process beside the one that speaks HTTP."""

    def __init__(self, bundle: Path) -> None:
        super().__init__()
        self.bundle = bundle

    def setup(self, device: str) -> None:
        self.classify = Eager(self.bundle)

    def decode_request(self, request: Request) -> bytes:
        photo: bytes = request["file"].file.read()
        return photo

    def predict(self, photo: bytes) -> dict[str, Any]:
        return self.classify(photo)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


def main() -> None:
    given = arguments()
    server = litserve.LitServer(Classifier(given.bundle), accelerator="cpu", timeout=300)
    server.run(host=HOST, port=given.port, generate_client_file=False)


if __name__ == "__main__":
    main()
