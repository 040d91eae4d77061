"""A board's way from a slow request to its trace."""

import secrets

import httpx
import pytest

from tests.assets import needs_assets
from tests.monitoring.live.daemon import until
from tests.monitoring.live.prometheus import SETTLE_SECONDS, Prometheus
from tests.monitoring.live.stack import Stack

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("component", ["transformer", "predictor"])
@pytest.mark.parametrize("metric", ["classifier_request_duration_seconds", "classifier_stage_duration_seconds"])
def test_prometheus_knows_the_trace_of_a_request(
    service: Stack, watched: Prometheus, component: str, metric: str
) -> None:
    trace_id = secrets.token_hex(16)
    context = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    link = {"url": service.photos.after(0)}
    httpx.post(f"{service.transformer.url}/predict/url", json=link, headers=context, timeout=30).raise_for_status()
    until(lambda: (component, trace_id) in watched.traces(f"{metric}_bucket"), "an exemplar", SETTLE_SECONDS)
