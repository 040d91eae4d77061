"""Is the service well, and does it keep its objectives?"""

from monitoring.grafana import limits
from monitoring.grafana.board import FIRING, board, choice
from monitoring.grafana.grid import Row, row
from monitoring.grafana.panels import Query, heatmap, percentiles, stat, table, timeseries
from monitoring.grafana.promql import ANSWERED, COMPONENT, quantile, rate, select, series, share, total
from monitoring.objectives import BURNS, PERIOD

REQUESTS = "classifier_requests_total"
DURATION = "classifier_request_duration_seconds"
ERRORS = 'outcome="server_error"'
REFUSALS = 'outcome=~"client_error|server_error"'
BAD = "component:classifier_slo_bad_requests:ratio_rate"
BURN = "component:classifier_error_budget_burn:ratio_rate"
LEFT = "component:classifier_error_budget_remaining:ratio"
PROMISE = "slo:classifier_objective:ratio"
BUDGET = "slo:classifier_error_budget:ratio"
READY = " or ".join(
    (
        total("classifier_ready", by="component"),
        *(f'label_replace(vector(0), "component", "{name}", "", "")' for name in ("transformer", "predictor")),
    )
)
"""0 of a component that has no server."""
MINUTES_OF_PERIOD = int(PERIOD.removesuffix("d")) * 24 * 60


def objective(slo: str, bad: str) -> Row:
    """What is promised, what was kept of it, and how fast the rest is used up; the rules record all of it."""
    of = (COMPONENT, f'slo="{slo}"')
    left = series(LEFT, *of)
    minutes = f"{left} * on (slo) group_left () {select(BUDGET, of[1])} * {MINUTES_OF_PERIOD}"
    return row(
        f"Objective: {slo}",
        stat(
            f"Promised ({slo})",
            "percentunit",
            f"Share of requests that shall not be {bad}: {PROMISE}.",
            Query(select(PROMISE, of[1])),
            width=6,
            decimals=3,
        ),
        stat(
            f"Kept ({slo})",
            "percentunit",
            f"Share of the requests of {PERIOD} that were not {bad}: {BAD}{PERIOD}.",
            Query(f"1 - {series(BAD + PERIOD, *of)}"),
            width=6,
            decimals=3,
        ),
        stat(
            f"Budget left ({slo})",
            "percentunit",
            f"What is left of the requests that may be {bad} in {PERIOD}; under 0 the promise is broken: {LEFT}.",
            Query(left),
            limits={0: "yellow", 0.25: "green"},
            base="red",
            width=6,
        ),
        stat(
            f"Time left ({slo})",
            "m",
            f"For how long every request may be {bad}, as many as usual, until the budget is gone: "
            f"{LEFT} and {BUDGET}.",
            Query(minutes),
            limits={0: "yellow", 60: "green"},
            base="red",
            width=6,
        ),
        timeseries(
            f"Bad requests ({slo})",
            "percentunit",
            f"Share of requests that were {bad}, over three windows: {BAD}5m, {BAD}1h and {BAD}{PERIOD}.",
            *(Query(series(BAD + window, *of), window) for window in ("5m", "1h", PERIOD)),
            width=12,
        ),
        timeseries(
            f"Burn rate ({slo})",
            "none",
            "How many times as fast as would be even the budget is used up, over the long windows of the alerts, whose "
            f"limits are the lines: {', '.join(BURN + burn.long for burn in BURNS)}.",
            *(Query(series(BURN + burn.long, *of), burn.long) for burn in BURNS),
            limits=limits.BURN_RATES,
            width=12,
        ),
    )


BOARD = board(
    "overview",
    "Overview and objectives",
    "Traffic, errors, latency and what is left of the error budgets.",
    row(
        "Now",
        stat(
            "Requests",
            "reqps",
            "Requests to the doors that infer: classifier_requests_total.",
            Query(rate(REQUESTS, COMPONENT)),
        ),
        stat(
            "Server errors",
            "percentunit",
            "Share of requests that failed through the service's fault, refusals under load included: "
            "classifier_requests_total.",
            Query(share(rate(REQUESTS, COMPONENT, ERRORS), rate(REQUESTS, COMPONENT))),
            limits={0.001: "yellow", 0.05: "red"},
        ),
        stat(
            "p95 latency",
            "s",
            "Time in which 95 % of requests were answered: classifier_request_duration_seconds.",
            Query(quantile(0.95, DURATION, COMPONENT, ANSWERED)),
            limits=limits.LATENCY,
        ),
        stat(
            "Servers ready",
            "none",
            "Servers of each component that are loaded, warm and not draining; 0 is well where a component may "
            "scale to zero: classifier_ready.",
            Query(READY, "{{component}}"),
            limits={1: "green"},
            base="red",
        ),
        stat(
            "Targets unreachable",
            "none",
            "Targets that Prometheus could not scrape: up.",
            Query(f"count({series('up')} == 0) or vector(0)"),
            limits=limits.ANY,
        ),
        stat(
            "Alerts firing",
            "none",
            "Prometheus's own series of them: ALERTS.",
            Query(f"count({FIRING}) or vector(0)"),
            limits=limits.ANY,
        ),
    ),
    row(
        "Traffic and errors",
        timeseries(
            "Requests by outcome",
            "reqps",
            "classifier_requests_total by outcome: a client's fault, the service's fault, or a client that left.",
            Query(rate(REQUESTS, COMPONENT, by="outcome"), "{{outcome}}"),
            stacked=True,
        ),
        timeseries(
            "Requests by route",
            "reqps",
            "classifier_requests_total by route and method.",
            Query(rate(REQUESTS, COMPONENT, by="method, route"), "{{method}} {{route}}"),
            stacked=True,
        ),
        timeseries(
            "Errors by code",
            "reqps",
            "classifier_requests_total that were not answered well, by the error's code; overloaded is load that was "
            "shed, deadline_exceeded ran out of time.",
            Query(rate(REQUESTS, COMPONENT, REFUSALS, by="code"), "{{code}}"),
        ),
        timeseries(
            "Share of errors",
            "percentunit",
            "classifier_requests_total by whose fault it was; over 5 % of server errors an alert fires.",
            Query(share(rate(REQUESTS, COMPONENT, ERRORS), rate(REQUESTS, COMPONENT)), "server errors"),
            Query(
                share(rate(REQUESTS, COMPONENT, 'outcome="client_error"'), rate(REQUESTS, COMPONENT)), "client errors"
            ),
            Query(share(rate(REQUESTS, COMPONENT, 'outcome="cancelled"'), rate(REQUESTS, COMPONENT)), "cancelled"),
            limits=limits.SERVER_ERRORS,
        ),
        timeseries(
            "Latency",
            "s",
            f"classifier_request_duration_seconds; {limits.PROMISED.latency:.0%} shall be within "
            f"{limits.PROMISED.latency_seconds} s, and over 0.5 s an alert fires.",
            *percentiles(DURATION, COMPONENT, ANSWERED),
            limits=limits.LATENCY,
            exemplars=True,
            width=16,
        ),
        heatmap("Latency distribution", "s", DURATION, COMPONENT, ANSWERED, exemplars=True),
        timeseries(
            "Other requests",
            "reqps",
            "Probes, metadata, documents and unknown paths: classifier_other_requests_total.",
            Query(
                rate("classifier_other_requests_total", COMPONENT, by="method, outcome, route"),
                "{{method}} {{route}} {{outcome}}",
            ),
            width=12,
        ),
    ),
    objective("availability", "failed by the service"),
    objective("latency", "answered too late"),
    row(
        "What runs",
        table(
            "Models",
            "The models that are served: classifier_model_info.",
            Query(
                total(
                    "classifier_model_info",
                    by="component, model, model_version, revision, architecture, engine, precision, device, "
                    "fingerprint, trained",
                )
            ),
        ),
        table(
            "Builds",
            "The servers that run: classifier_build_info.",
            Query(total("classifier_build_info", by="component, version, revision, kserve, python")),
        ),
    ),
    variables=[choice("component", "Component", "Whose requests are counted.", "transformer", "predictor")],
)
