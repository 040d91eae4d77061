"""Settings of the transformer."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, PositiveFloat, PositiveInt
from pydantic_settings import NoDecode

from serving.cores import available_cores
from serving.settings import MIB, Cores, ServerSettings
from transformer.decoder import Decode

MAX_PIXELS = 89_478_485
"""Pillow's own ceiling, over which it takes a picture for an attack."""


def _words(value: object) -> object:
    """`a, b` from the environment or a flag as words."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


class TransformerSettings(ServerSettings):
    """What a transformer adds to the settings of every server."""

    component: ClassVar[str] = "transformer"

    predictor_host: str = Field(
        min_length=1, description="host, or host:port, of the predictor's gRPC; port 80 if none"
    )
    predictor_protocol: Literal["grpc-v2"] = Field("grpc-v2", description="the one protocol spoken to the predictor")
    predictor_use_ssl: bool = Field(default=False, description="speak TLS to the predictor; port 443 if none is given")
    predictor_load_balancing: Literal["pick_first", "round_robin"] = Field(
        "pick_first",
        description="round_robin: every predictor that the host's name stands for gets its share of the calls",
    )
    predictor_connect_seconds: PositiveFloat = Field(1, description="longest wait for a connection to the predictor")
    fingerprint: str = Field("", description="only contract accepted of a predictor; empty: learned at first contact")

    top_k_predictions: PositiveInt = Field(5, description="classes in an answer when the request does not say")
    max_upload_size: PositiveInt = Field(10 * MIB, description="bytes of one photo, however it comes")
    max_image_pixels: int = Field(
        25_000_000, ge=1, le=MAX_PIXELS, description="pixels of one photo, judged before it is decoded"
    )
    decode: Decode = Field(
        "fast",
        description="exact: photos as torchvision prepares them; fast: large JPEGs nearly so, in half the time or less",
    )
    decode_threads: Cores = Field(
        default_factory=available_cores,
        description="photos decoded at once; all cores that the process may use, at most",
    )

    fetch_enabled: bool = Field(default=True, description="whether photos are fetched from URLs at all")
    fetch_timeout_seconds: PositiveFloat = Field(5, description="whole time of one fetch")
    fetch_connections: PositiveInt = Field(8, description="photos fetched at once, over all requests")
    fetch_denied_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_words)] = Field(
        (), description="networks that are never fetched from, beside all that are not public"
    )
    fetch_allowed_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = Field(
        frozenset(), description="hosts (host or host:port) that may be fetched from although they are private"
    )
