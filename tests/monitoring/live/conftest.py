"""The running service under a running Prometheus, once for every test that only asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets import WEIGHTS
from tests.bundles import make_bundle
from tests.e2e.collector import collecting
from tests.e2e.photos import Reference
from tests.monitoring.live import configuration
from tests.monitoring.live.driving import answers, drive, replaced_predictor
from tests.monitoring.live.prometheus import Prometheus, prometheus
from tests.monitoring.live.stack import Stack, stack


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the same contract that answers at random."""
    out = tmp_path_factory.mktemp("bundles") / "untrained"
    return make_bundle(out, "--arch", "squeezenet1_1", "--weights", "untrained", "--resize", "256", "--crop", "224")


@pytest.fixture(scope="session")
def service(squeezenet: Path, untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    logs = tmp_path_factory.mktemp("logs")
    with collecting() as collector, stack(squeezenet, untrained, logs, collector.url) as started:
        yield started


@pytest.fixture(scope="session")
def watched(service: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with our rules as they are, which has seen every path taken, and answers twice, for their rates."""
    home = tmp_path_factory.mktemp("prometheus")
    targets = {
        "transformer:8080": [f"127.0.0.1:{service.transformer.http_port}"],
        "predictor:8080": [f"127.0.0.1:{process.http_port}" for process in (service.stable, service.canary)],
    }
    (home / "prometheus.yaml").write_text(configuration.scraping(targets, str(configuration.RULES)))
    reference = Reference("squeezenet1_1", WEIGHTS, resize=256, crop=224)
    with prometheus(home / "prometheus.yaml", home) as started:
        drive(service, reference)
        started.until_settled()
        replaced_predictor(service)
        for predictor in (service.canary, service.stable):
            answers(service, predictor, reference)
        started.until_settled()
        yield started
