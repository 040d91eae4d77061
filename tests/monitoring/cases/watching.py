"""Whether the service is watched at all."""

from tests.monitoring.case import PREDICTOR, Case, Firing, counted, series, target

A, B, C = target("predictor", "a"), target("predictor", "b"), target("transformer", "c")


def _watched(*targets: str) -> dict[str, str]:
    return {series(name, of): "1x60" for name in ("up", "classifier_ready") for of in targets}


def _starts(pods: int) -> dict[str, str]:
    """One after the other, each two minutes before it is gone."""
    return {
        series("up", target("predictor", f"p{n}")): f"{f'_x{2 * n - 1} ' if n else ''}0 0 stale" for n in range(pods)
    }


def _calls(per_minute: float) -> dict[str, str]:
    return {series("classifier_predictor_calls_total", C, 'outcome="success"'): counted(per_minute)}


def _requested(pods: int, service: str = "image-classifier-predictor") -> dict[str, str]:
    named = f'k8s_namespace_name="photos", kn_service_name="{service}", kn_revision_name="r1"'
    return {series("kn_revision_pods_requested", named): f"{pods}x60"}


_GONE = {series("up", A): "1x5 stale"}
_UNSEEN = Firing(B, "b (predictor of photos/image-classifier) gives no metrics.")
_NO_PREDICTOR = Firing(PREDICTOR, "The predictor of photos/image-classifier has no target.")
_NO_TARGET = (Firing('job="image-classifier"', "The job image-classifier has no target at all."),)

CASES = [
    Case(
        "ScrapeMissing",
        "one of two pods does not answer",
        _watched(A) | {series("up", B): "0x60"},
        "16m",
        (_UNSEEN,),
    ),
    Case("ScrapeMissing", "not yet for 15 minutes", _watched(A) | {series("up", B): "0x60"}, "14m"),
    Case("ScrapeMissing", "pods take turns, each is down for a moment", _watched(A) | _starts(12), "22m"),
    Case("ScrapeMissing", "all pods answer", _watched(A, B, C), "30m"),
    Case("ScrapeMissing", "no pod answers, which is ServiceDown", {series("up", A): "0x60"}, "30m"),
    Case("ScrapeMissing", "a pod is being replaced", _watched(A) | {series("up", B): "0x10 stale"}, "16m"),
    Case(
        "ScrapeMissing",
        "a pod answers without metrics of ours",
        _watched(A) | {series("up", B): "1x60"},
        "16m",
        (_UNSEEN,),
    ),
    Case(
        "ScrapeMissing",
        "a predictor is called that is no target",
        _watched(C) | _calls(30),
        "17m",
        (_NO_PREDICTOR,),
    ),
    Case("ScrapeMissing", "a predictor is no target and is not called", _watched(C) | _calls(0), "30m"),
    Case("ScrapeMissing", "a predictor is called and is a target", _watched(A, C) | _calls(30), "30m"),
    Case("ScrapeMissing", "there is no target", {}, "16m", _NO_TARGET),
    Case("ScrapeMissing", "there is no target, and a pod is wanted", _requested(1), "16m", _NO_TARGET),
    Case("ScrapeMissing", "there is no target, and none is wanted", _requested(0), "30m"),
    Case("ScrapeMissing", "only what is no classifier runs", _requested(0) | _requested(3, "web"), "30m"),
    Case(
        "ScrapeMissing", "only another's classifier is wanted", _requested(0) | _requested(3, "cats-predictor"), "30m"
    ),
    Case("ScrapeMissing", "a component is gone, nobody says why", _GONE, "21m", (_NO_PREDICTOR,)),
    Case(
        "ScrapeMissing",
        "a component is gone, beside one that is at zero",
        _GONE | _requested(0, "cats-predictor"),
        "21m",
        (_NO_PREDICTOR,),
    ),
    Case(
        "ScrapeMissing",
        "a component is gone, and is at zero",
        _GONE | _requested(0) | _requested(3, "cats-predictor"),
        "40m",
    ),
    Case("ScrapeMissing", "a component is gone and wanted, which is ServiceDown", _GONE | _requested(1), "40m"),
    Case(
        "ScrapeMissing",
        "a component was gone for a moment",
        {series("up", A): "1x5 stale _x10 1x40"} | {series("classifier_ready", A): "1x60"},
        "21m",
    ),
    Case(
        "Watchdog", "always", {}, "1m", (Firing("", "Prometheus evaluates the rules and Alertmanager takes alerts."),)
    ),
    Case("Watchdog", "not in the first minute", {}, "0m"),
]
