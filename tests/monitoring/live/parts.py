"""What an expression that is empty while all is well is made of: what is compared and joined, which never is."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser
from promql_parser import MatchOp

from tests.monitoring.syntax import below, selectors

FILTERS = frozenset({"==", "!=", ">", ">=", "<", "<=", "and", "unless", "or"})

_SEVERAL = re.compile(r"[\w|]+")
_OFFSET = re.compile(r" offset -?\w+")
_STEPS = re.compile(r"\[\w+:\w*\]")


def parts(expr: str) -> list[str]:
    """The largest pieces that filter nothing, in order; of numbers nothing is asked."""
    return [_now(node.prettify()) for node in _pieces(promql_parser.parse(expr))]


def matched(expr: str) -> set[tuple[str, str, str]]:
    """Name, label and value of every series that is asked for by a value, or by one of several."""
    return {
        (selector.name, matcher.name, value)
        for selector in selectors(expr)
        for matcher in selector.matchers.matchers
        if matcher.op == MatchOp.Equal or (matcher.op == MatchOp.Re and _SEVERAL.fullmatch(matcher.value))
        for value in matcher.value.split("|")
    }


def _pieces(node: Any) -> Iterator[Any]:
    if not any(_filters(each) for each in below(node)):
        if any(isinstance(each, promql_parser.VectorSelector) for each in below(node)):
            yield _at_once(node)
        return
    for child in _children(node):
        yield from _pieces(child)


def _at_once(node: Any) -> Any:
    """A series over a time, which is not to be asked for itself, as it is now."""
    match node:
        case promql_parser.MatrixSelector():
            return node.vector_selector
        case promql_parser.SubqueryExpr():
            return node.expr
    return node


def _filters(node: Any) -> bool:
    if isinstance(node, promql_parser.BinaryExpr):
        return str(node.op) in FILTERS and not (node.modifier and node.modifier.return_bool)
    return isinstance(node, promql_parser.Call) and node.func.name in {"absent", "absent_over_time"}


def _children(node: Any) -> list[Any]:
    match node:
        case promql_parser.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql_parser.Call():
            return list(node.args)
        case promql_parser.MatrixSelector():
            return [node.vector_selector]
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return [node.expr]
        case promql_parser.SubqueryExpr():
            return [node.expr]
    return []


def _now(expr: str) -> str:
    """A day ago there was nothing yet, nor perhaps at the last full minute; the series are the same."""
    return _STEPS.sub("[1m:1s]", _OFFSET.sub("", expr))
