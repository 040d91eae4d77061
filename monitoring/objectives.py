"""What the service promises, and how fast it may use up what it may fail: the one table of the rules."""

from dataclasses import dataclass

from monitoring.alerts.alert import Severity
from serving.metrics import LATENCY_BUCKETS

PERIOD = "30d"
"""Over which a promise is kept."""


@dataclass(frozen=True)
class Burn:
    """Over both windows the budget is used up `factor` times as fast as would be even; `lasting` for the alert."""

    factor: float
    short: str
    long: str
    lasting: str
    severity: Severity


BURNS = (
    Burn(14.4, "5m", "1h", "2m", "critical"),
    Burn(6, "30m", "6h", "15m", "critical"),
    Burn(3, "2h", "1d", "1h", "warning"),
    Burn(1, "6h", "3d", "3h", "warning"),
)
"""At 14.4 a fiftieth of a month's budget is gone in an hour, at 1 all of it in a month."""

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""Of the burns; a test holds the two together."""

LEAST_SHARE = 1 - 1 / max(burn.factor for burn in BURNS)
"""With less, the budget is so large that even if all requests were bad the fastest burn would not be reached."""


@dataclass(frozen=True)
class Objectives:
    """Shares of requests that must be good. A share outside of its limits is a ValueError that names the field."""

    availability: float = 0.999
    """Not failed by us: no outcome server_error."""
    latency: float = 0.95
    """Answered within `latency_seconds`, of those that were not failed."""
    latency_seconds: float = 0.1

    def __post_init__(self) -> None:
        for slo, share in self.shares.items():
            if not LEAST_SHARE < share < 1:
                raise ValueError(f"{slo}: expected a share between {LEAST_SHARE:.4f} and 1, got {share}")
        if self.latency_seconds not in LATENCY_BUCKETS:
            edges = ", ".join(map(str, LATENCY_BUCKETS))
            raise ValueError(
                f"latency_seconds: expected one of the histogram's edges ({edges}), got {self.latency_seconds}"
            )

    @property
    def shares(self) -> dict[str, float]:
        """By the value of the label `slo`."""
        return {"availability": self.availability, "latency": self.latency}

    @property
    def latency_edge(self) -> str:
        """As the histogram's label `le` writes it."""
        return str(float(self.latency_seconds))
