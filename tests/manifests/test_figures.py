"""Deadlines, drains, probes and limits agree with each other over the application, KServe and Knative."""

import pytest

from predictor.settings import PredictorSettings
from serving.settings import ServerSettings, read
from tests.manifests.admission import components, knative
from tests.manifests.rendered import OVERLAYS, Document, of_kind, overlay
from transformer.settings import TransformerSettings

KNATIVE_DRAIN_SECONDS = 30
"""queue-proxy holds the container's stop until it was quiet for so long (knative/serving pkg/queue/sharedmain)."""

KNATIVE_MAX_TIMEOUT_SECONDS = 600
"""max-revision-timeout-seconds of config-defaults, as shipped."""

CLOSING_SECONDS = 5
"""For what comes after the last answer: the engine's threads and the connections."""

FACTOR = 4
"""How far the autoscaler's target lies under the requests that the application takes at once: what is shed is not
counted by Knative, so shedding must come long after scaling, also in its panic at twice the target.
"""

SERVERS: dict[str, tuple[type[ServerSettings], list[str]]] = {
    "predictor": (PredictorSettings, []),
    "transformer": (TransformerSettings, ["--predictor_host=predictor"]),
}

Served = tuple[Document, str, Document, Document, ServerSettings]
"""A service, the name of a component, the component, its container, and the settings that its process will have."""


def served(name: str) -> list[Served]:
    documents = overlay(name)
    runtimes = {runtime["metadata"]["name"]: runtime["spec"] for runtime in of_kind("ServingRuntime", documents)}
    found = []
    for service in of_kind("InferenceService", documents):
        for kind, component in components(service):
            holder = component if "containers" in component else runtimes[component["model"]["runtime"]]
            container = holder["containers"][0]
            found.append((service, kind, component, container, settings(kind, container)))
    return found


def settings(kind: str, container: Document) -> ServerSettings:
    """Of the server that such a container starts, read as it reads them."""
    known, flags = SERVERS[kind]
    given = {variable["name"].lower(): variable["value"] for variable in container.get("env", ())}
    return read(known, [*flags, *(f"--{name}={value}" for name, value in given.items())])


@pytest.fixture(params=OVERLAYS)
def every(request: pytest.FixtureRequest) -> list[Served]:
    found = served(request.param)
    assert found
    return found


def test_variables_are_settings(every: list[Served]) -> None:
    for _, kind, _, container, _ in every:
        known = {name.upper() for name in SERVERS[kind][0].model_fields}
        assert {variable["name"] for variable in container.get("env", ())} <= known


def test_a_pod_lives_until_its_last_request_is_answered(every: list[Served]) -> None:
    for service, _, component, _, process in every:
        if knative(service):
            grace, before = component["timeout"], KNATIVE_DRAIN_SECONDS
            assert process.drain_delay_seconds == 0  # Knative drains before the process hears of its stop
            needed = before + process.request_timeout_seconds
        else:
            grace = component["terminationGracePeriodSeconds"]
            needed = process.drain_delay_seconds + process.grace_period_seconds + CLOSING_SECONDS
        assert grace >= needed


def test_nobody_gives_up_before_the_application_does(every: list[Served]) -> None:
    for service, _, component, _, process in every:
        assert process.grace_period_seconds >= process.request_timeout_seconds
        if knative(service):
            assert process.request_timeout_seconds < component["timeout"] <= KNATIVE_MAX_TIMEOUT_SECONDS


def test_traffic_stops_before_the_ports_close(every: list[Served]) -> None:
    """Where nobody drains for it, the process stays open until its failing probe has been seen."""
    for service, _, _, container, process in every:
        probe = container["readinessProbe"]
        if not knative(service):
            assert process.drain_delay_seconds >= probe["periodSeconds"] * probe["failureThreshold"]


def test_a_start_may_take_longer_than_it_takes(every: list[Served]) -> None:
    """A minute for a transformer, two for a predictor, before Kubernetes starts it anew."""
    least = {"predictor": 120, "transformer": 60}
    for _, kind, _, container, _ in every:
        probe = container["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= least[kind]


def test_scaling_comes_long_before_shedding(every: list[Served]) -> None:
    for service, _, component, _, process in every:
        if knative(service):
            assert component["scaleMetric"] == "concurrency"
            assert component["scaleTarget"] * FACTOR <= process.max_in_flight
            assert component.get("containerConcurrency", 0) == 0  # queue-proxy's 503 says nothing of when to try again


def test_what_is_in_flight_fits_into_a_transformers_memory(every: list[Served]) -> None:
    """Requests at once, each as large as it may be, and a photo being decoded on each core."""
    for _, kind, _, container, process in every:
        if isinstance(process, TransformerSettings) and kind == "transformer":
            limit = int(container["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024**3
            decoding = process.max_image_pixels * 4 * int(container["resources"]["limits"]["cpu"])
            assert process.max_in_flight * process.max_request_size + decoding < limit


def test_more_pods_come_only_if_they_may(every: list[Served]) -> None:
    for _, _, component, _, _ in every:
        assert 0 <= component["minReplicas"] < component["maxReplicas"] <= 10


@pytest.mark.parametrize("name", ["knative", "standard", "baked"])
def test_three_pods_of_each_serve_when_nothing_else_is_said(name: str) -> None:
    assert [(component["minReplicas"], component["maxReplicas"]) for _, _, component, _, _ in served(name)] == [
        (3, 10),
        (3, 10),
    ]


def test_scaled_to_zero_nothing_runs() -> None:
    assert [component["minReplicas"] for _, _, component, _, _ in served("scale-to-zero")] == [0, 0]


def test_scaled_to_zero_the_first_request_outlives_both_starts() -> None:
    """Knative holds it for `timeout`, in which each may take all that its probe allows; then it has its own time."""
    found = served("scale-to-zero")
    starts = {kind: _start_seconds(container) for _, kind, _, container, _ in found}
    (process,) = [process for _, kind, _, _, process in found if kind == "transformer"]
    for _, _, component, _, _ in found:
        assert component["timeout"] >= sum(starts.values()) + process.request_timeout_seconds
    assert process.request_timeout_seconds > starts["predictor"]


def _start_seconds(container: Document) -> int:
    return int(container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"])


def test_in_standard_mode_every_predictor_gets_its_share() -> None:
    documents = overlay("standard")
    (service,) = of_kind("Service", documents)
    assert service["spec"]["clusterIP"] == "None"
    (port,) = service["spec"]["ports"]
    address = f"--predictor_host={service['metadata']['name']}:{port['port']}"
    (_, _, _, predictor, process), (_, _, _, transformer, asking) = served("standard")
    assert isinstance(asking, TransformerSettings)
    assert asking.predictor_load_balancing == "round_robin"
    assert address in transformer["args"]
    assert predictor["ports"][0]["containerPort"] == port["targetPort"] == process.grpc_port
    assert process.grpc_max_connection_age_seconds > 0
