"""Logs are JSON for machines and lines for people."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from serving import logs
from serving.settings import ServerSettings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The root logger as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def logged(stream: StringIO, **settings: Any) -> str:
    logs.configure(ServerSettings(**settings), stream)
    logging.getLogger("some.place").info("hello %s", "you", extra={"request_id": "r1"})
    return stream.getvalue()


def test_a_machine_gets_json_with_the_extras() -> None:
    line = json.loads(logged(StringIO()))
    assert line["time"].endswith("+00:00")
    assert {key: line[key] for key in ("level", "logger", "message", "request_id")} == {
        "level": "INFO",
        "logger": "some.place",
        "message": "hello you",
        "request_id": "r1",
    }


def test_a_terminal_gets_a_line() -> None:
    assert logged(Terminal()).endswith("INFO    some.place: hello you\n")


def test_the_form_can_be_chosen() -> None:
    assert json.loads(logged(Terminal(), log_format="json"))["message"] == "hello you"
    assert "some.place: hello you" in logged(StringIO(), log_format="human")


def test_what_is_below_the_level_is_not_logged() -> None:
    assert logged(StringIO(), log_level="warning") == ""
