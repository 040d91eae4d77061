"""The figures as a drawing (SVG), written by hand: bars of throughput and of latency, nothing to install."""

from collections.abc import Mapping
from html import escape

from benchmarks.figures import Figures, p50, p95, rate
from benchmarks.photos import SMALL

WIDTH, ROW, LABEL, TITLE, GAP = 760, 22, 200, 30, 18
PANELS = (
    ("requests a second, 20 clients", rate, "c=20"),
    ("median latency in ms, 1 client", p50, "c=1"),
    ("p95 in ms, 15 requests a second arriving", p95, "15/s"),
)


def plot(figures: Figures) -> str:
    """An SVG document with a panel for each load that was measured."""
    names = list(dict.fromkeys(each.contender for each in figures.cells))
    panels, top = [], 10
    for title, figure, load in PANELS:
        found = {name: figures.value(figure, name, SMALL.name, load) for name in names}
        bars = {name: value for name, value in found.items() if value is not None}
        if bars:
            panels.append(_panel(title, bars, top))
            top += TITLE + ROW * len(bars) + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{top}" fill="white"/>', *panels, "</svg>"]) + "\n"


def _panel(title: str, bars: Mapping[str, float], top: int) -> str:
    longest = max(bars.values()) or 1
    lines = [f'<text x="10" y="{top + 18}" font-size="15" font-weight="bold">{escape(title)}</text>']
    for index, (name, value) in enumerate(bars.items()):
        y = top + TITLE + ROW * index
        length = (WIDTH - LABEL - 80) * value / longest
        colour = "#2a6fb0" if name.startswith("ours") else "#9aa5b1"
        lines += [
            f'<text x="{LABEL - 8}" y="{y + 14}" font-size="12" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LABEL}" y="{y + 2}" width="{length:.1f}" height="{ROW - 6}" fill="{colour}"/>',
            f'<text x="{LABEL + length + 6:.1f}" y="{y + 14}" font-size="12">{value:.1f}</text>',
        ]
    return "\n".join(lines)
