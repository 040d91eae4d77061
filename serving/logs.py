"""Logs on standard error: JSON for machines, a plain line on a terminal."""

import logging
import sys
from typing import Literal, TextIO

from pythonjsonlogger.orjson import OrjsonFormatter

from serving.settings import ServerSettings

_QUIET = {
    "uvicorn.error": logging.ERROR,
    "kserve": logging.WARNING,
    "httpx": logging.WARNING,
    "opentelemetry.exporter": logging.CRITICAL,
    "python_multipart": logging.ERROR,
}
"""Libraries that would add lines to a start, or to a request whatever a client puts into it."""


def configure(settings: ServerSettings, stream: TextIO | None = None) -> None:
    """Send every logger to the stream; called once, before kserve's server would set up its own."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(settings.log_format, stream))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, logging.getLevelName(settings.log_level)))


def _formatter(form: Literal["auto", "json", "human"], stream: TextIO) -> logging.Formatter:
    if form == "human" or (form == "auto" and stream.isatty()):
        return logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S")
    return OrjsonFormatter(
        ["levelname", "name", "message"],
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp="time",
    )
