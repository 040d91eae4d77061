"""`python -m transformer`: serve photos, in front of a predictor."""

import sys

from fastapi_offline import FastAPIOffline

from serving import version
from serving.process import StartError, run
from serving.server import ModelServer
from transformer.decoder import Decoder
from transformer.fetch import Fetcher, FetchPolicy
from transformer.image import ImageLimits
from transformer.model import Transformer
from transformer.page import page_router
from transformer.plain import PREDICT_ROUTES, plain_router
from transformer.settings import TransformerSettings


def main() -> int:
    return run(TransformerSettings, sys.argv[1:], serve)


def serve(settings: TransformerSettings) -> None:
    """Put the transformer's parts together and serve them."""
    limits = ImageLimits(settings.max_image_pixels)
    decoder = Decoder(settings.decode_threads, limits, settings.max_upload_size, settings.decode)
    model = Transformer(settings, decoder, Fetcher(fetch_policy(settings)))
    server = ModelServer(settings, FastAPIOffline(title="Image classifier", version=version.VERSION))
    server.app.include_router(plain_router(server.plane, settings))
    server.app.include_router(page_router())
    for route in PREDICT_ROUTES:
        server.recorder.expect("POST", route)
    server.start([model])


def fetch_policy(settings: TransformerSettings) -> FetchPolicy:
    """What the settings allow to be fetched; raises StartError for a host that could never match."""
    try:
        return FetchPolicy(
            enabled=settings.fetch_enabled,
            allowed_hosts=settings.fetch_allowed_hosts,
            denied_networks=settings.fetch_denied_networks,
            max_bytes=settings.max_upload_size,
            timeout_seconds=settings.fetch_timeout_seconds,
        )
    except ValueError as error:
        raise StartError(f"fetch_{error}") from error


if __name__ == "__main__":
    sys.exit(main())
