"""`python -m transformer`: serve photos, in front of a predictor."""

import sys

from fastapi_offline import FastAPIOffline

from serving import version
from serving.process import run
from serving.server import ModelServer
from transformer.decoder import Decoder
from transformer.fetch import Fetcher, FetchPolicy
from transformer.image import ImageLimits
from transformer.model import Transformer
from transformer.page import page_router
from transformer.plain import plain_router
from transformer.settings import TransformerSettings


def main() -> int:
    return run(TransformerSettings, sys.argv[1:], serve)


def serve(settings: TransformerSettings) -> None:
    """Put the transformer's parts together and serve them."""
    policy = FetchPolicy(
        enabled=settings.fetch_enabled,
        allowed_hosts=settings.fetch_allowed_hosts,
        max_bytes=settings.max_upload_size,
        timeout_seconds=settings.fetch_timeout_seconds,
    )
    decoder = Decoder(settings.decode_threads, ImageLimits(settings.max_image_pixels), settings.max_upload_size)
    model = Transformer(settings, decoder, Fetcher(policy))
    server = ModelServer(settings, FastAPIOffline(title="Image classifier", version=version.VERSION))
    server.app.include_router(plain_router(server.plane, settings))
    server.app.include_router(page_router())
    server.start([model])


if __name__ == "__main__":
    sys.exit(main())
