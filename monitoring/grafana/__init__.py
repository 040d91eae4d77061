"""Grafana's boards, written in code: `boards()` gives the files of `boards/`, which `python -m monitoring` writes.

A panel is added to a row of its board's module: a kind of panels.py, with a title, a unit, a description that names
the metrics, and queries in the words of promql.py.
"""

import json
import warnings
from collections.abc import Mapping

from grafana_foundation_sdk.cog.encoder import JSONEncoder

with warnings.catch_warnings():
    # The classic schema is called deprecated, but it is the one that every Grafana provisions from files.
    warnings.simplefilter("ignore", DeprecationWarning)
    from monitoring.grafana import canary, latency, model, overview, saturation

_BOARDS = {
    "overview": overview.BOARD,
    "latency": latency.BOARD,
    "saturation": saturation.BOARD,
    "canary": canary.BOARD,
    "model": model.BOARD,
}


def boards() -> Mapping[str, str]:
    """The text of every board by the name of its file."""
    return {
        f"{name}.json": json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
        for name, board in _BOARDS.items()
    }
