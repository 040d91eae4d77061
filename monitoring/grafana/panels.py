"""The kinds of panel. Each takes a title, a unit, a description that names its metrics, and its queries."""

import zlib
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple, TypeVar

from grafana_foundation_sdk.builders.bargauge import Panel as BarGauge
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.heatmap import HeatmapColorOptions, YAxisConfig
from grafana_foundation_sdk.builders.heatmap import Panel as Heatmap
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    DataSourceRef,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataTransformerConfig,
    FieldColorModeId,
    Panel,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.grafana.promql import buckets, quantile

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

NO_TRAFFIC = SpecialValueMap(
    DashboardSpecialValueMapOptions(
        SpecialValueMatch.NA_N, ValueMappingResult(text="No traffic", color="text", index=0)
    )
)
"""A ratio of nothing to nothing is neither a fault nor zero."""

Limits = Mapping[float, str]
"""Colours, by the value from which they hold."""

Builder = TypeVar("Builder", BarGauge, Heatmap, Stat, Table, TimeSeries)


class Query(NamedTuple):
    expr: str
    legend: str = "__auto"


def percentiles(histogram: str, *matchers: str, of: Sequence[float] = (0.5, 0.95, 0.99)) -> list[Query]:
    """A query for each, called p50 and so on."""
    return [Query(quantile(q, histogram, *matchers), f"p{q:.0%}".removesuffix("%")) for q in of]


def timeseries(
    title: str,
    unit: str,
    description: str,
    *queries: Query,
    limits: Limits | None = None,
    stacked: bool = False,
    exemplars: bool = False,
    width: int = 8,
    height: int = 8,
) -> Panel:
    """Lines over time. Limits are drawn as lines too; exemplars are points, each of which names a trace."""
    panel = _dressed(TimeSeries(), title, unit, description, limits).height(height).span(width)
    panel.targets([_target(place, query).range().exemplar(exemplars) for place, query in enumerate(queries)])
    panel.axis_soft_min(0).line_width(1).fill_opacity(30 if stacked else 8).show_points(VisibilityMode.NEVER)
    panel.legend(
        VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
    )
    panel.tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    panel.color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    if stacked:
        panel.stacking(StackingConfig().mode(StackingMode.NORMAL))
    if limits:
        panel.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return panel.build()


def stat(
    title: str,
    unit: str,
    description: str,
    query: Query,
    limits: Limits | None = None,
    base: str = "green",
    width: int = 4,
    decimals: int | None = None,
) -> Panel:
    """One number, as it is now; limits colour it."""
    panel = _dressed(Stat(), title, unit, description, limits, base).height(4).span(width)
    panel.targets([_target(0, query).instant()])
    panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).graph_mode(BigValueGraphMode.NONE)
    if decimals is not None:
        panel.decimals(decimals)
    return panel.build()


def heatmap(
    title: str, unit: str, histogram: str, *matchers: str, description: str = "", exemplars: bool = False
) -> Panel:
    """The buckets of a histogram over time."""
    panel = _dressed(Heatmap(), title, unit, description or f"{histogram} by its buckets.").height(8).span(12)
    query = Query(buckets(histogram, *matchers), "{{le}}")
    panel.targets([_target(0, query, PromQueryFormat.HEATMAP).range().exemplar(exemplars)])
    panel.color(HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
    panel.y_axis(YAxisConfig().unit(unit)).cell_gap(1).show_legend()
    return panel.build()


def bars(title: str, unit: str, description: str, query: Query) -> Panel:
    """A bar for each series, as it is now."""
    panel = _dressed(BarGauge(), title, unit, description).height(12).span(12)
    panel.targets([_target(0, query).instant()])
    panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).orientation(VizOrientation.HORIZONTAL).min(0)
    return panel.build()


def table(title: str, description: str, query: Query, width: int = 24, height: int = 6) -> Panel:
    """A row for each series and a column for each label; the value, always 1, is left out."""
    panel = _dressed(Table(), title, "none", description).height(height).span(width)
    panel.targets([_target(0, query, PromQueryFormat.TABLE).instant()])
    left_out = {"excludeByName": {"Time": True, "Value": True}}
    return panel.with_transformation(DataTransformerConfig(id_val="organize", options=left_out)).build()


def panel_id(title: str) -> int:
    """Made of the title, so that links to a panel survive when another is added before it."""
    return zlib.crc32(title.encode()) % 1_000_000_000


def _dressed(
    panel: Builder, title: str, unit: str, description: str, limits: Limits | None = None, base: str = "green"
) -> Builder:
    panel.id(panel_id(title)).title(title).description(description)
    panel.datasource(DATASOURCE).unit(unit).mappings([NO_TRAFFIC])
    steps = [Threshold(None, base), *(Threshold(value, colour) for value, colour in (limits or {}).items())]
    return panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def _target(place: int, query: Query, shape: PromQueryFormat = PromQueryFormat.TIME_SERIES) -> Dataquery:
    target = Dataquery().ref_id(ascii_uppercase[place]).datasource(DATASOURCE).format(shape)
    return target.expr(query.expr).legend_format(query.legend)
