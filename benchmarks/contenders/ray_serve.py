"""(e) Ray Serve, as its documentation writes one, around the same eager model."""

from pathlib import Path
from typing import Any

from ray import serve
from starlette.requests import Request

from benchmarks.contenders.arguments import arguments
from benchmarks.contenders.eager import Eager
from scripts.port import HOST


class Classifier:
    """One replica, with the machine's cores for its threads."""

    def __init__(self, bundle: Path) -> None:
        self.classify = Eager(bundle)

    async def __call__(self, request: Request) -> dict[str, Any]:
        async with request.form() as form:
            return self.classify(await form["file"].read())  # type: ignore[union-attr]  # it is a file


def main() -> None:
    given = arguments()
    serve.start(http_options={"host": HOST, "port": given.port})
    deployment = serve.deployment(max_ongoing_requests=256)(Classifier)
    serve.run(deployment.bind(given.bundle), route_prefix="/predict", blocking=True)


if __name__ == "__main__":
    main()
