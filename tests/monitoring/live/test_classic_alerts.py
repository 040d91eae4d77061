"""The five classic alerts: their cause is real, somebody is called, and told when it is over.

The thresholds are those of the rules; only how long something lasts is of seconds and not of minutes.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.assets import PHOTOS, needs_assets
from tests.e2e.processes import Pair, pair, running
from tests.monitoring.live import configuration
from tests.monitoring.live.alertmanager import CALL_SECONDS, Notice, Webhook, alertmanager
from tests.monitoring.live.confinement import memory_limit
from tests.monitoring.live.daemon import until
from tests.monitoring.live.driving import classify, loaded
from tests.monitoring.live.prometheus import Prometheus, prometheus
from tests.monitoring.live.slow_photos import SlowPhotos

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]

ONE_CORE = ("taskset", "--cpu-list", str(max(os.sched_getaffinity(0))), sys.executable, "-m")
REQUEST_SECONDS = 1.0

PREDICTOR_MEMORY = 'process_resident_memory_bytes{component="predictor"}'


@dataclass(frozen=True)
class Watch:
    """The servers, whoever watches them, and whoever is called."""

    servers: Pair
    photos: SlowPhotos
    prometheus: Prometheus
    webhook: Webhook

    def asking_for_photos(self, seconds: float) -> Callable[[], object]:
        """A request for a photo that comes so late."""
        url, link = f"{self.servers.transformer.url}/predict/url", {"url": self.photos.after(seconds)}
        return lambda: httpx.post(url, json=link, timeout=30)


class Told:
    """What the receiver of an alert is told from now on, when nothing of it is firing."""

    def __init__(self, watch: Watch, receiver: str, alert: str, component: str) -> None:
        self._webhook = watch.webhook
        self._of = (receiver, alert, component)
        until(lambda: alert not in watch.prometheus.firing(), f"no {alert}", CALL_SECONDS)
        self._heard = len(watch.webhook.notices)

    def until(self, status: str) -> None:
        """Wait until it is told so."""
        self._heard = self._webhook.until(Notice(*self._of, status), self._heard)


@pytest.fixture(scope="module")
def watch(squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """A predictor on one core, so that little load is much."""
    home = tmp_path_factory.mktemp("watch")
    photos, webhook = SlowPhotos((PHOTOS / "coffee.png").read_bytes()), Webhook()
    servers = pair(squeezenet, home / "logs")
    servers.predictor.command = ONE_CORE
    limits = {"FETCH_ALLOWED_HOSTS": photos.host, "REQUEST_TIMEOUT_SECONDS": str(REQUEST_SECONDS)}
    servers.transformer.settings = {**servers.transformer.settings, **limits}
    (home / "rules.yaml").write_text(configuration.quick_rules())
    (home / "alertmanager.yaml").write_text(configuration.routing(webhook.url))
    targets = {
        f"{server}:8080": [f"127.0.0.1:{process.http_port}"]
        for server, process in (("transformer", servers.transformer), ("predictor", servers.predictor))
    }
    with ExitStack() as started:
        for each in (photos.running(), webhook.running(), running(servers)):
            started.enter_context(each)
        address = started.enter_context(alertmanager(home / "alertmanager.yaml", home))
        (home / "prometheus.yaml").write_text(configuration.scraping(targets, str(home / "rules.yaml"), address))
        yield Watch(servers, photos, started.enter_context(prometheus(home / "prometheus.yaml", home)), webhook)


def test_a_server_that_is_gone_is_called_out(watch: Watch) -> None:
    told = Told(watch, "page", "ServiceDown", "predictor")
    watch.servers.predictor.kill()
    told.until("firing")
    watch.servers.predictor.start().until()
    told.until("resolved")


def test_slow_answers_are_called_out(watch: Watch) -> None:
    told = Told(watch, "ticket", "HighLatencyP95", "transformer")
    with loaded(watch.asking_for_photos(0.7 * REQUEST_SECONDS), clients=4):
        told.until("firing")
    told.until("resolved")


def test_failing_requests_are_called_out(watch: Watch) -> None:
    """Photos that come later than an answer has to."""
    told = Told(watch, "page", "HighErrorRate", "transformer")
    with loaded(watch.asking_for_photos(2 * REQUEST_SECONDS), clients=4):
        told.until("firing")
    told.until("resolved")


def test_a_busy_processor_is_called_out(watch: Watch) -> None:
    told = Told(watch, "ticket", "HighCPU", "predictor")
    with loaded(lambda: classify(watch.servers.predictor, 16), clients=3):
        told.until("firing")
    told.until("resolved")


def test_memory_that_is_nearly_used_up_is_called_out(watch: Watch) -> None:
    """A limit just over what the predictor needs, and then none that is so low."""
    told = Told(watch, "ticket", "HighMemory", "predictor")
    predictor = watch.servers.predictor.until()
    (needed,) = watch.prometheus.numbers(PREDICTOR_MEMORY)
    predictor.end()
    with memory_limit(int(needed / 0.93)) as limited:
        predictor.command = (*limited, *ONE_CORE)
        try:
            predictor.start().until()
            with loaded(lambda: classify(predictor, 16), clients=3):
                told.until("firing")
        finally:
            predictor.end()
    predictor.command = ONE_CORE
    predictor.start().until()
    told.until("resolved")
    assert "HighMemory" not in watch.prometheus.firing()
