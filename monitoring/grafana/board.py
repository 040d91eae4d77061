"""A board, and what all boards share: variables, links to each other, and annotations."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, CustomVariable, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.builders.dashboard import Dashboard as Builder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLink,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from monitoring.grafana.grid import Row, placed
from monitoring.grafana.panels import DATASOURCE
from monitoring.grafana.promql import CHOSEN, SERVICE, select

TAG = "image-classifier"
FIRING = select(
    "ALERTS", *(f'{label}=~"(${label})|"' for label in CHOSEN), 'alertstate="firing"', 'alertname!="Watchdog"'
)
"""Those of the chosen service, and those that name none; Watchdog always fires."""

Variable = CustomVariable | QueryVariable


def board(name: str, title: str, description: str, *rows: Row, variables: Sequence[Variable] = ()) -> Dashboard:
    builder = Builder(f"Image classifier / {title}").uid(f"{TAG}-{name}").description(description).tags([TAG])
    builder.timezone("browser").time("now-1h", "now").refresh("30s").tooltip(DashboardCursorSync.CROSSHAIR).readonly()
    builder.variables([*_variables(), *variables]).annotations([*_annotations()])
    built = builder.build()
    built.panels = list(placed(rows))
    built.links = [_to_other_boards()]
    return built


def choice(name: str, label: str, description: str, *values: str) -> CustomVariable:
    """A variable whose values are known; the first is chosen at first."""
    variable = CustomVariable(name).label(label).description(description).values(",".join(values))
    return variable.current(VariableOption(selected=True, text=values[0], value=values[0]))


def values_of(name: str, label: str, description: str, query: str) -> QueryVariable:
    """A variable whose values Prometheus has; the first is chosen at first."""
    variable = QueryVariable(name).label(label).description(description).datasource(DATASOURCE).query(query)
    return variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)


def _variables() -> list[DatasourceVariable | QueryVariable]:
    """A board is of one service: revisions, pods and totals of several would be taken for those of one."""
    return [
        DatasourceVariable("datasource").label("Data source").type("prometheus"),
        values_of(
            "namespace",
            "Namespace",
            "Where the service runs; empty outside a cluster.",
            "label_values(classifier_ready, namespace)",
        ),
        values_of(
            "inference_service",
            "Model",
            "The InferenceService.",
            'label_values(classifier_ready{namespace=~"$namespace"}, inference_service)',
        ),
    ]


def all_of(variable: QueryVariable) -> QueryVariable:
    """All is a pattern, so that it holds for series without the label, too."""
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return variable.multi(True).include_all(True).all_value(".*").current(everything)


def _annotations() -> list[AnnotationQuery]:
    identity = "component, inference_service, model_version, revision"
    running = f"classifier_model_info{{{SERVICE}}}"
    return [
        _annotation("Alerts", "red", FIRING, "{{alertname}}", "component,severity"),
        _annotation(
            "New versions",
            "blue",
            f"sum by ({identity}) ({running}) unless sum by ({identity}) ({running} offset 5m)",
            "{{component}}: {{model_version}}",
            "inference_service,revision",
        ),
    ]


def _annotation(name: str, colour: str, expr: str, title: str, tags: str) -> AnnotationQuery:
    annotation = AnnotationQuery().name(name).datasource(DATASOURCE).enable(True).icon_color(colour)
    return annotation.expr(expr).title_format(title).tag_keys(tags).step("60s")


def _to_other_boards() -> DashboardLink:
    link = DashboardLink(
        title="Boards",
        type_val=DashboardLinkType.DASHBOARDS,
        icon="external link",
        tooltip="The other boards, of the same service and time",
        tags=[TAG],
        include_vars=True,
        keep_time=True,
    )
    link.placement = None  # type: ignore[assignment]  # beside the variables; the models only know of a menu
    return link
