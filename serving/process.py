"""From the command line to an exit code: the same for every server process."""

import logging
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from serving import logs
from serving.settings import ServerSettings, SettingsError, read

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=ServerSettings)


class StartError(Exception):
    """The server cannot start; the text says why in one line."""


def run(settings_type: type[S], argv: Sequence[str], serve: Callable[[S], None]) -> int:
    """Read the settings, serve, return the exit code: 0 after a clean stop, 1 with one line of reason otherwise."""
    try:
        settings = read(settings_type, argv)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    logs.configure(settings)
    logger.info("settings: %s", settings.model_dump_json())
    try:
        serve(settings)
    except StartError as error:
        logger.error("cannot start: %s", error)  # the line says all, a trace would bury it
        return 1
    return 0
