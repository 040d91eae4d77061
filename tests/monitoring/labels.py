"""Which labels a PromQL expression's result has, worked out from those of its series, and what it asks of others."""

from collections.abc import Mapping, Sequence
from typing import Any

import promql_parser
from promql_parser import AggModifierType, LabelModifierType, MatchOp, VectorMatchCardinality

Labels = frozenset[str]
Known = Mapping[str, Labels]
"""Of every name, the labels that its series carry."""

_NONE: Labels = frozenset()
_SCALARS = (promql_parser.NumberLiteral, promql_parser.StringLiteral)
_CHOOSING = ("topk", "bottomk")
_NO_LABELS = ("scalar", "time", "vector")


class Reading:
    """One expression, read once: `labels` of its result, `faults` are names and labels that are not there."""

    def __init__(self, expr: str, known: Known) -> None:
        self._known = known
        self.faults: list[str] = []
        self.labels = self._of(promql_parser.parse(expr))

    def _of(self, node: Any) -> Labels:
        match node:
            case promql_parser.VectorSelector():
                return self._selector(node)
            case promql_parser.MatrixSelector():
                return self._selector(node.vector_selector)
            case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
                return self._of(node.expr)
            case promql_parser.AggregateExpr():
                return self._aggregate(node)
            case promql_parser.BinaryExpr():
                return self._binary(node)
            case promql_parser.Call():
                return self._call(node)
        return _NONE

    def _selector(self, node: Any) -> Labels:
        if node.name not in self._known:
            self.faults.append(f"{node.name}: nothing is called so")
            return _NONE
        labels = self._known[node.name]
        self._need((matcher.name for matcher in node.matchers.matchers), labels, node)
        return labels

    def _call(self, node: Any) -> Labels:
        vectors = [self._of(argument) for argument in node.args if not isinstance(argument, _SCALARS)]
        inner = frozenset[str]().union(*vectors)
        match node.func.name:
            case "label_replace":
                target, _, source, _ = (argument.val for argument in node.args[1:])
                self._need([source] if source else [], inner, node)  # without one it is a constant
                return inner | {target}
            case "histogram_quantile":
                self._need(["le"], inner, node)
                return inner - {"le"}
            case "absent" | "absent_over_time":
                matchers = _matchers(node.args[0])
                return frozenset(matcher.name for matcher in matchers if matcher.op == MatchOp.Equal)
            case name if name in _NO_LABELS:
                return _NONE
        return inner

    def _aggregate(self, node: Any) -> Labels:
        inner = self._of(node.expr)
        modifier = node.modifier
        self._need(modifier.labels if modifier else (), inner, node)
        if str(node.op) in _CHOOSING:
            return inner
        if modifier is None:
            return _NONE
        named = frozenset(modifier.labels)
        return named if modifier.type == AggModifierType.By else inner - named

    def _binary(self, node: Any) -> Labels:
        left, right = self._of(node.lhs), self._of(node.rhs)
        matching = node.modifier.matching if node.modifier else None
        named = frozenset(matching.labels if matching else ())
        if _is_scalar(node.lhs) or _is_scalar(node.rhs):
            return left | right
        for side in (left, right):
            self._need(named, side, node)
        match str(node.op):
            case "and" | "unless":
                return left
            case "or":
                return left | right
        return self._matched(node, left, right, matching)

    def _matched(self, node: Any, left: Labels, right: Labels, matching: Any) -> Labels:
        cardinality = node.modifier.card if node.modifier else VectorMatchCardinality.OneToOne
        included = frozenset(node.modifier.group_labels or ()) if node.modifier else _NONE
        if cardinality == VectorMatchCardinality.ManyToOne:
            self._need(included, right, node)
            return left | included
        if cardinality == VectorMatchCardinality.OneToMany:
            self._need(included, left, node)
            return right | included
        named = frozenset(matching.labels if matching else ())
        if matching and matching.type == LabelModifierType.Include:
            return named
        if left - named != right - named:
            self.faults.append(f"{sorted(left ^ right)}: on one side alone of {node.prettify()}")
        return left - named

    def _need(self, names: Any, labels: Labels, node: Any) -> None:
        missing = sorted(set(names) - labels)
        self.faults.extend(f"{label}: no label of what is in {node.prettify()}" for label in missing)


def _is_scalar(node: Any) -> bool:
    """Number literals and what is made of them, parentheses included."""
    match node:
        case promql_parser.NumberLiteral():
            return True
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _is_scalar(node.expr)
        case promql_parser.BinaryExpr():
            return _is_scalar(node.lhs) and _is_scalar(node.rhs)
        case promql_parser.Call():
            return node.func.name in {"scalar", "time"}
    return False


def _matchers(node: Any) -> Sequence[Any]:
    selector = node.vector_selector if isinstance(node, promql_parser.MatrixSelector) else node
    matchers: Sequence[Any] = selector.matchers.matchers if isinstance(selector, promql_parser.VectorSelector) else ()
    return matchers
