"""Every PromQL expression of the boards, as Grafana would send it: variables and macros filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MACROS = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m"}


class Expression(NamedTuple):
    """`panel` is a panel's title, or the name of a variable or an annotation."""

    board: str
    panel: str
    expr: str


def expressions(boards: Mapping[str, str]) -> list[Expression]:
    """Of boards as `monitoring.grafana.boards` gives them: file name to JSON."""
    return [
        Expression(name, panel, filled_in(expr))
        for name, text in boards.items()
        for panel, expr in _raw(json.loads(text))
    ]


def filled_in(expr: str) -> str:
    """With every variable as a pattern that matches anything."""
    for macro, value in MACROS.items():
        expr = expr.replace(macro, value)
    return re.sub(r"\$\{\w+(:\w+)?\}|\$\w+", ".*", expr)


def _raw(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in board["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], series_of(variable["query"])
    yield from ((annotation["name"], annotation["expr"]) for annotation in board["annotations"]["list"])


def series_of(query: str) -> str:
    """What a variable's `label_values(series, label)` looks through."""
    found = re.fullmatch(r"label_values\((.+), \w+\)", query)
    if found is None:
        raise ValueError(f"expected label_values(series, label), got {query}")
    return found[1]
