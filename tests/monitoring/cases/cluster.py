"""What only a cluster can tell."""

from tests.monitoring.case import PREDICTOR, Case, Firing, counted, series, target

OURS = {series("up", target("predictor")): "1x60"}
POD = 'namespace="photos", pod="a", container="kserve-container"'
OTHERS_POD = 'namespace="photos", pod="z", container="kserve-container"'
REVISION = f'{PREDICTOR}, revision="image-classifier-predictor-00002"'


def _knative(service: str = "image-classifier-predictor", **pods: int) -> dict[str, str]:
    named = (
        f'namespace="knative-serving", k8s_namespace_name="photos", kn_service_name="{service}", '
        f'kn_revision_name="{service}-00002"'
    )
    return {series(f"kn_revision_pods_{name}", named): f"{count}x60" for name, count in pods.items()}


def _hpa(desired: int, least: int = 3, until: str = "x60") -> dict[str, str]:
    named = 'namespace="photos", horizontalpodautoscaler="image-classifier-predictor"'
    said = {"status_desired_replicas": desired, "spec_min_replicas": least, "spec_max_replicas": 10}
    return {series(f"kube_horizontalpodautoscaler_{name}", named): f"{count}{until}" for name, count in said.items()}


def _throttled(percent: float, pod: str = POD) -> dict[str, str]:
    return {
        series("container_cpu_cfs_throttled_periods_total", pod): counted(6 * percent),
        series("container_cpu_cfs_periods_total", pod): counted(600),
    }


def _waiting(values: str, pod: str = POD) -> dict[str, str]:
    return {series("kube_pod_container_status_waiting_reason", pod, 'reason="CrashLoopBackOff"'): values}


def _killed(reason: str, restarts: str, last: int = 1, pod: str = POD) -> dict[str, str]:
    return {
        series("kube_pod_container_status_last_terminated_reason", pod, f'reason="{reason}"'): f"{last}x60",
        series("kube_pod_container_status_restarts_total", pod): restarts,
    }


_CONTAINER = f'{PREDICTOR}, pod="a", container="kserve-container"'

CASES = [
    Case(
        "AutoscalerAtMaximum",
        "12 wanted of 10",
        OURS | _knative(desired=12, requested=10),
        "16m",
        (
            Firing(
                REVISION,
                "12 pods are wanted for the predictor of photos/image-classifier, and there are as many as "
                "there may be.",
            ),
        ),
    ),
    Case("AutoscalerAtMaximum", "10 wanted of 10", OURS | _knative(desired=10, requested=10), "30m"),
    Case(
        "AutoscalerAtMaximum", "another's service", OURS | _knative("cats-predictor", desired=12, requested=10), "30m"
    ),
    Case(
        "AutoscalerAtMaximum",
        "without Knative, 10 of 10",
        OURS | _hpa(10),
        "16m",
        (
            Firing(
                PREDICTOR,
                "10 pods are wanted for the predictor of photos/image-classifier, and there are as many as "
                "there may be.",
            ),
        ),
    ),
    Case("AutoscalerAtMaximum", "without Knative, 9 of 10", OURS | _hpa(9), "30m"),
    Case("AutoscalerAtMaximum", "without Knative, always 10", OURS | _hpa(10, least=10), "30m"),
    Case("AutoscalerAtMaximum", "without Knative, the HPA is gone", OURS | _hpa(10, until="x12 stale"), "20m"),
    Case(
        "CPUThrottled",
        "in 30 % of its periods",
        OURS | _throttled(30),
        "17m",
        (
            Firing(
                f'{PREDICTOR}, pod="a"', "a (predictor of photos/image-classifier) is throttled in 30% of its periods."
            ),
        ),
    ),
    Case("CPUThrottled", "in 20 % of its periods", OURS | _throttled(20), "30m"),
    Case("CPUThrottled", "another's pod", OURS | _throttled(90, OTHERS_POD), "30m"),
    Case(
        "CrashLooping",
        "it waits",
        OURS | _waiting("1x60"),
        "6m",
        (
            Firing(
                _CONTAINER,
                "Container kserve-container of a (predictor of photos/image-classifier) waits to be started once more.",
            ),
        ),
    ),
    Case(
        "CrashLooping",
        "it waits, with short runs between",
        OURS | _waiting(" ".join(["1 1 0 0"] * 15)),
        "6m",
        (
            Firing(
                _CONTAINER,
                "Container kserve-container of a (predictor of photos/image-classifier) waits to be started once more.",
            ),
        ),
    ),
    Case("CrashLooping", "it runs", OURS | _waiting("0x60"), "30m"),
    Case("CrashLooping", "it waited once", OURS | _waiting("0x5 1 0x60"), "13m"),
    Case("CrashLooping", "another's pod", OURS | _waiting("1x60", OTHERS_POD), "30m"),
    Case(
        "OOMKilled",
        "just now",
        OURS | _killed("OOMKilled", "0x5 1x60"),
        "7m",
        (
            Firing(
                _CONTAINER,
                "Container kserve-container of a (predictor of photos/image-classifier) used more memory than "
                "it may and was killed.",
            ),
        ),
    ),
    Case("OOMKilled", "an hour ago", OURS | _killed("OOMKilled", "1x90"), "60m"),
    Case("OOMKilled", "it ended otherwise", OURS | _killed("Error", "0x5 1x60"), "10m"),
    Case("OOMKilled", "that was another time", OURS | _killed("OOMKilled", "0x5 1x60", last=0), "10m"),
    Case("OOMKilled", "another's pod", OURS | _killed("OOMKilled", "0x5 1x60", pod=OTHERS_POD), "10m"),
    Case(
        "RevisionPodsNotReady",
        "one",
        OURS | _knative(not_ready_count=1),
        "11m",
        (
            Firing(
                REVISION,
                "Pods of image-classifier-predictor-00002 (predictor of photos/image-classifier) that are not "
                "ready: 1.",
            ),
        ),
    ),
    Case("RevisionPodsNotReady", "none", OURS | _knative(not_ready_count=0), "30m"),
    Case("RevisionPodsNotReady", "another's service", OURS | _knative("cats-predictor", not_ready_count=1), "30m"),
    Case(
        "ActivatorLostAutoscaler",
        "no connection",
        {series("kn_activator_stats_conn_reachable", 'pod="activator-1", peer="autoscaler"'): "1x5 0x60"},
        "11m",
        (Firing('pod="activator-1"', "The activator activator-1 has no connection to the autoscaler."),),
    ),
    Case(
        "ActivatorLostAutoscaler",
        "it was back at once",
        {series("kn_activator_stats_conn_reachable", 'pod="activator-1", peer="autoscaler"'): "1x5 0x2 1x60"},
        "13m",
    ),
]
