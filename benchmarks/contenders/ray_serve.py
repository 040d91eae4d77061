"""(e) Ray Serve, as its documentation writes one, around the same eager model."""

import os
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
    cores = {"num_cpus": len(os.sched_getaffinity(0))}  # Ray gives a replica's libraries as many threads
    deployment = serve.deployment(max_ongoing_requests=256, ray_actor_options=cores)(Classifier)
    serve.run(deployment.bind(given.bundle), route_prefix="/predict", blocking=True)


if __name__ == "__main__":
    main()
