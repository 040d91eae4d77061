"""What a PromQL expression is made of."""

from typing import Any

import promql_parser


def nodes(expr: str) -> list[Any]:
    """Every part of it."""
    return below(promql_parser.parse(expr))


def below(node: Any) -> list[Any]:
    """The node, and every part of it."""
    found: list[Any] = []
    promql_parser.walk(node, found.append)
    return found


def selectors(expr: str) -> list[Any]:
    """Every choice of series in it, with its matchers."""
    return [node for node in nodes(expr) if isinstance(node, promql_parser.VectorSelector)]


def metrics(expr: str) -> set[str]:
    """Names of all series that it reads."""
    return {str(selector.name) for selector in selectors(expr)}
