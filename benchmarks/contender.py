"""Who takes part: what starts each contender, how it is asked, and what its answers are held to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from predictor.engine import Precision, graph_of
from scripts.child import Command
from scripts.port import HOST, free

PLAIN, STRONG, OURS, FLOOR = "plain", "strong", "ours", "floor"
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "int8")
QUIET = {"DO_NOT_TRACK": "1", "BENTOML_DO_NOT_TRACK": "True", "RAY_USAGE_STATS_ENABLED": "0"}
"""Peers would send usage data; nothing is sent from here."""


@dataclass(frozen=True)
class Program:
    """A process of a contender; `environment` comes on top of ours."""

    name: str
    command: Command
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """A contender as it is to be started: its programs, and the port that takes photos at `POST /predict`."""

    programs: tuple[Program, ...]
    port: int
    ready: str = "/ready"

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{path}"


@dataclass(frozen=True)
class Contender:
    """`graph` is what the bundle must hold, `package` what must be installed; None: nothing."""

    name: str
    precision: Precision
    site: Callable[[Path, str], Site]
    graph: str | None = None
    package: str | None = None
    says_precision: bool = False


def contenders(variants: Sequence[str] = ()) -> tuple[Contender, ...]:
    """Every server, in the order in which they take turns; the first one's answers are the reference.

    A variant is a setting, `NAME=VALUE`, with which our servers take part once more.
    """
    return (
        Contender(PLAIN, "float32", _module("plain")),
        *(_ours(precision) for precision in PRECISIONS),
        *(_ours(precision, variant) for variant in variants for precision in PRECISIONS),
        Contender(STRONG, "bfloat16", _module("strong"), graph_of("bfloat16")),
        Contender("litserve", "float32", _module("litserve", "/health"), package="litserve"),
        Contender("bentoml", "float32", _module("bentoml", "/readyz"), package="bentoml"),
        Contender("mlserver", "float32", _module("mlserver", "/v2/health/ready"), package="mlserver"),
        Contender("ray serve", "float32", _module("ray_serve", "/-/healthz"), package="ray.serve"),
    )


def _module(name: str, ready: str = "/ready") -> Callable[[Path, str], Site]:
    """One process of `benchmarks.contenders`, under the interpreter that has its package."""

    def site(bundle: Path, python: str) -> Site:
        (port,) = free(1)
        command = (python, "-m", f"benchmarks.contenders.{name}", "--bundle", str(bundle), "--port", str(port))
        return Site((Program(name, command, QUIET),), port, ready)

    return site


def _ours(precision: Precision, variant: str | None = None) -> Contender:
    """Both processes, with the settings that they have unless told otherwise."""
    name = " ".join((OURS, precision, *([variant] if variant else ())))
    settings = dict([variant.split("=", 1)]) if variant else {}
    return Contender(name, precision, _pair(precision, settings), graph_of(precision), says_precision=True)


def _pair(precision: str, settings: Mapping[str, str]) -> Callable[[Path, str], Site]:
    def site(bundle: Path, python: str) -> Site:
        transformer_http, transformer_grpc, predictor_http, predictor_grpc = free(4)
        transformer = {
            "HOST": HOST,
            "PREDICTOR_HOST": f"{HOST}:{predictor_grpc}",
            "HTTP_PORT": str(transformer_http),
            "GRPC_PORT": str(transformer_grpc),
        }
        programs = (
            predictor(bundle, precision, predictor_http, predictor_grpc, python, settings),
            Program("transformer", (python, "-m", "transformer"), {**transformer, **settings}),
        )
        return Site(programs, transformer_http)

    return site


def predictor(
    bundle: Path,
    precision: str,
    http_port: int,
    grpc_port: int,
    python: str,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """Our predictor on its own."""
    environment = {
        "HOST": HOST,
        "MODEL_DIR": str(bundle),
        "ALLOW_UNTRAINED": "true",
        "ALLOW_BENCHMARK_ONLY": "true",
        "ENGINE": "openvino",
        "PRECISION": precision,
        "HTTP_PORT": str(http_port),
        "GRPC_PORT": str(grpc_port),
        **settings,
    }
    return Program("predictor", (python, "-m", "predictor"), environment)
