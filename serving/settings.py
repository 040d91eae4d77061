"""Settings of a process: read once, validated together, frozen. Flags win over the environment, that over defaults.

A field `http_port` is the environment variable `HTTP_PORT` and the flag `--http_port` (KServe injects `--model_name`,
`--predictor_host`, `--http_port` and `--workers`).
"""

import argparse
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.cores import available_cores

Port = Annotated[int, Field(ge=0, le=65535)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

MIB = 1024 * 1024


def _at_most_the_cores(threads: int) -> int:
    if threads > (cores := available_cores()):
        raise ValueError(f"expected at most {cores}, the cores that this process may use")
    return threads


Cores = Annotated[PositiveInt, AfterValidator(_at_most_the_cores)]
"""Threads that compute: more of them than cores stand in each other's way."""


class SettingsError(Exception):
    """Settings that cannot be used; the text names each one, what it must be and what it was."""


class ServerSettings(BaseSettings):
    """What transformer and predictor have in common; `component` is which of them it is."""

    component: ClassVar[str] = "server"

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )

    model_name: str = Field("resnet50", pattern="^[^/:?#%\\s]{1,200}$", description="name of the model on every door")
    host: str = Field("0.0.0.0", description="address that both ports listen on")  # noqa: S104  # a pod's only network
    http_port: Port = Field(8080, description="port of the REST doors")
    grpc_port: Port = Field(8081, description="port of the gRPC doors")
    workers: int = Field(1, ge=1, le=1, description="processes; one a pod, more would each hold a copy of the model")

    log_level: LogLevel = Field("INFO", description="least level that is logged")
    log_format: Literal["auto", "json", "human"] = Field("auto", description="auto: human on a terminal, else JSON")

    request_timeout_seconds: PositiveFloat = Field(20, description="deadline of a request; a gRPC client may set less")
    max_in_flight: PositiveInt = Field(64, description="requests at once; one more is answered 503")
    max_request_size: PositiveInt = Field(32 * MIB, description="bytes of one request, over REST or gRPC")
    max_json_size: PositiveInt = Field(
        16 * MIB, description="bytes of a request in JSON, which takes some 5 times that in memory, 25 at worst"
    )
    grpc_compression: bool = Field(
        False, description="compress gRPC answers of 1 KiB and more, as clients accept it; over REST they ask for it"
    )
    grpc_max_connection_age_seconds: int = Field(
        0,
        ge=0,
        description="seconds after which gRPC clients are asked to connect anew, so that they find new pods; 0: never",
    )
    timeout_keep_alive: PositiveInt = Field(65, description="seconds that an idle HTTP connection stays open")
    drain_delay_seconds: float = Field(0, ge=0, description="seconds between not ready and closing the ports")
    grace_period_seconds: PositiveFloat = Field(30, description="seconds that accepted requests may take when stopping")

    otel_exporter_otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="where traces go over OTLP (HTTP, port 4318 of a collector), without `/v1/traces`; empty: nowhere",
    )
    otel_traces_sampler_arg: float = Field(
        0.01, ge=0, le=1, description="share that is kept of traces that begin here; of others their own flag decides"
    )
    otel_service_name: str = Field("", description="name in traces; empty: image-classifier- and which server it is")

    revision: str = Field("", validation_alias="K_REVISION", description="Knative's revision, set by Knative")

    @model_validator(mode="before")
    @classmethod
    def _log_level_in_any_case(cls, values: dict[str, object]) -> dict[str, object]:
        level = values.get("log_level")
        return values | {"log_level": level.upper()} if isinstance(level, str) else values

    @model_validator(mode="after")
    def _accepted_requests_survive_a_stop(self) -> Self:
        if self.grace_period_seconds < self.request_timeout_seconds:
            raise ValueError(
                f"grace_period_seconds: expected at least request_timeout_seconds ({self.request_timeout_seconds:g}), "
                f"got {self.grace_period_seconds:g}"
            )
        return self


S = TypeVar("S", bound=ServerSettings)


def read(settings: type[S], argv: Sequence[str]) -> S:
    """Settings from flags, environment, defaults; raises SettingsError. An unknown flag ends the process (exit 2)."""
    flags = _parser(settings).parse_args(argv)
    try:
        return settings(**vars(flags))
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(details) for details in error.errors())) from error


def _parser(settings: type[ServerSettings]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS, allow_abbrev=False)
    for name, field in settings.model_fields.items():
        spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
        parser.add_argument(*spellings, dest=name, help=field.description)
    return parser


def _problem(details: Any) -> str:
    if not details["loc"]:
        return str(details["ctx"]["error"])
    name = str(details["loc"][0])
    if details["type"] == "missing":
        return f"{name}: expected the flag --{name} or the variable {name.upper()}, got neither"
    said = details.get("ctx", {}).get("error") or details["msg"].lower()
    return f"{name}: {said}, got {details['input']!r}"
