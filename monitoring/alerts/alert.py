"""What an alert is, and the words that its texts have in common."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning", "info"]
"""Somebody is woken; it is looked at by day; nobody is told."""

SERVICE = "{{ with $labels.namespace }}{{ . }}/{{ end }}{{ $labels.inference_service }}"
COMPONENT = "{{ $labels.component }} of " + SERVICE
POD = "{{ or $labels.pod $labels.instance }} (" + COMPONENT + ")"
PERCENT = "{{ $value | humanizePercentage }}"


@dataclass(frozen=True)
class Alert:
    """`lasting` is how long `expr` must hold before it fires; `labels` tell two alerts of a name apart."""

    name: str
    expr: str
    lasting: str
    severity: Severity
    summary: str
    """Without numbers, the same each time."""
    description: str
    """With what was measured, and where; a template of Prometheus."""
    labels: tuple[tuple[str, str], ...] = ()
