"""Where the panels of a board stand: rows with a heading, filled from left to right."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import NamedTuple

from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

from monitoring.grafana.panels import panel_id

COLUMNS = 24


class Row(NamedTuple):
    title: str
    panels: tuple[Panel, ...]


def row(title: str, *panels: Panel) -> Row:
    return Row(title, panels)


def placed(rows: Sequence[Row]) -> Iterator[Panel | RowPanel]:
    """Headings and panels with their places, from the top down."""
    top = 0
    for title, panels in rows:
        yield RowPanel(title=title, id_val=panel_id(f"row {title}"), grid_pos=GridPos(x=0, y=top, w=COLUMNS, h=1))
        top += 1
        for line in _lines(panels):
            yield from _beside(line, top)
            top += max(_size(panel).h for panel in line)


def _lines(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    line: list[Panel] = []
    for panel in panels:
        if sum(_size(other).w for other in (*line, panel)) > COLUMNS:
            yield line
            line = []
        line.append(panel)
    yield line


def _beside(line: Sequence[Panel], top: int) -> Iterator[Panel]:
    left = 0
    for panel in line:
        size, at_its_place = _size(panel), copy(panel)  # a row may stand on several boards
        at_its_place.grid_pos = GridPos(x=left, y=top, w=size.w, h=size.h)
        left += size.w
        yield at_its_place


def _size(panel: Panel) -> GridPos:
    if panel.grid_pos is None:
        raise ValueError(f"the panel {panel.title} has no size")
    return panel.grid_pos
