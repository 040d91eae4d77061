import pytest

from scripts.deployment.flags import flags_of

EMPTY_DIR = "kubernetes.podspec-volumes-emptydir"


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({}, []),
        ({"serviceAccountName": "cats", "volumes": [{"name": "keys", "secret": {}}]}, []),
        ({"volumes": [{"name": "tmp", "emptyDir": {}}]}, [EMPTY_DIR]),
        ({"volumes": [{"name": "disk", "persistentVolumeClaim": {}}]}, ["kubernetes.podspec-persistent-volume-claim"]),
        ({"runtimeClassName": "nvidia"}, ["kubernetes.podspec-runtimeclassname"]),
        (
            {"containers": [{"env": [{"name": "POD", "valueFrom": {"fieldRef": {}}}, {"name": "A", "value": "1"}]}]},
            ["kubernetes.podspec-fieldref"],
        ),
        (
            {"containers": [{"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]},
            ["kubernetes.containerspec-addcapabilities"],
        ),
        ({"containers": [{"securityContext": {"capabilities": {"drop": ["ALL"]}}}]}, []),
    ],
)
def test_a_field_needs_its_flag(pod: dict[str, object], expected: list[str]) -> None:
    assert [flag.name for flag in flags_of(pod)] == expected


def test_only_empty_directories_are_let_through_by_default() -> None:
    volumes: list[dict[str, object]] = [{"name": kind, kind: {}} for kind in ("emptyDir", "hostPath", "csi")]
    assert [flag.default for flag in flags_of({"volumes": volumes})] == ["enabled", "disabled", "disabled"]
