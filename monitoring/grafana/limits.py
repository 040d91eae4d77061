"""Lines that panels draw: what the objectives and the alerts call too much."""

from monitoring.objectives import BURNS, Objectives

PROMISED = Objectives()
LATENCY = {PROMISED.latency_seconds: "yellow", 0.5: "red"}
SLOW_ANSWERS = {round(1 - PROMISED.latency, 6): "yellow"}
SERVER_ERRORS = {0.05: "red"}
BURN_RATES = {burn.factor: "red" if burn.severity == "critical" else "yellow" for burn in reversed(BURNS)}
CPU = {0.8: "red"}
MEMORY = {0.85: "red"}
FULL = {0.8: "yellow", 1.0: "red"}
"""Of a limit over which requests are refused."""
CANARY_LATENCY = {1.25: "red"}
CANARY_ERRORS = {0.01: "red"}
ANY = {1.0: "red"}
