"""The share of a new bundle; the tests play KServe, which splits the traffic."""

from typing import Any

import pytest

from scripts.canary import main
from tests.scripts.deployment.api_server import NAMESPACE, ApiServer
from tests.scripts.deployment.clusters import object_of, overlay, ready
from tests.scripts.deployment.fields import Document

OLD, NEW = "s3://image-classifier-models/resnet50", "s3://image-classifier-models/resnet50-2"


def serving(server: ApiServer, **predictor: Any) -> Document:
    """The service as the overlay makes it, ready; `predictor` has other values for some of its fields."""
    (service,) = overlay("knative").of_kind("InferenceService")
    spec = service["spec"] | {"predictor": service["spec"]["predictor"] | predictor}
    return server.state.put(service | {"spec": spec, "status": split(100)})


def split(percent: int, generation: int = 1, *, healthy: bool = True) -> Document:
    """A status in which the newest revision has `percent` of the traffic."""
    newest = {"latestRevision": True, "percent": percent, "revisionName": "r-2", "tag": "latest"}
    before = {"latestRevision": False, "percent": 100 - percent, "revisionName": "r-1", "tag": "prev"}
    status = ready({"metadata": {"generation": generation}}, "http://cats")
    status["components"]["predictor"]["traffic"] = [share for share in (newest, before) if share["percent"]]
    if not healthy:
        status["conditions"] = [{"type": "Ready", "status": "False", "reason": "RevisionFailed"}]
    return status


def canary(server: ApiServer, *arguments: str) -> int:
    command, *rest = arguments
    waiting = [] if command == "status" else ["--timeout", "10"]
    return main([command, "--kubeconfig", str(server.kubeconfig), *waiting, *rest], poll_seconds=0.01)


def predictor(server: ApiServer) -> Document:
    spec: Document = object_of(server.state, "inferenceservices", "image-classifier")["spec"]
    return dict(spec["predictor"])


def test_a_canary_gets_its_share_and_is_promoted(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    serving(server)
    server.state.coming["image-classifier"] = [split(100), split(100, 2), split(10, 2)]
    assert canary(server, "start", "--storage-uri", NEW, "--percent", "10") == 0
    assert predictor(server)["canaryTrafficPercent"] == 10
    assert predictor(server)["model"]["storageUri"] == NEW
    assert predictor(server)["model"]["runtime"] == "image-classifier-grpc"
    assert capsys.readouterr().out.splitlines()[-3:] == [
        f"image-classifier: ready, canary at 10 %, bundle {NEW}, runtime image-classifier-grpc",
        "   10 %  r-2  (latest)",
        "   90 %  r-1  (prev)",
    ]
    server.state.coming["image-classifier"] = [split(10, 2), split(10, 3), split(100, 3)]
    assert canary(server, "promote") == 0
    assert "canaryTrafficPercent" not in predictor(server)
    assert predictor(server)["model"]["storageUri"] == NEW
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"image-classifier: ready, no canary, bundle {NEW}, runtime image-classifier-grpc",
        "  100 %  r-2  (latest)",
    ]


def test_a_running_canary_can_get_another_share(server: ApiServer) -> None:
    serving(server, canaryTrafficPercent=10)
    server.state.coming["image-classifier"] = [split(10), split(50, 2)]
    assert canary(server, "start", "--percent", "50") == 0
    assert predictor(server)["canaryTrafficPercent"] == 50
    assert predictor(server)["model"]["storageUri"] == OLD


def test_a_canary_that_never_became_ready_is_rolled_back(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    serving(server, canaryTrafficPercent=10)
    server.state.coming["image-classifier"] = [split(10, healthy=False), split(0, 2, healthy=False)]
    assert canary(server, "rollback") == 0
    assert predictor(server)["canaryTrafficPercent"] == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"image-classifier: not ready, canary at 0 %, bundle {OLD}, runtime image-classifier-grpc",
        "  100 %  r-1  (prev)",
    ]


def test_a_canary_that_fails_is_told_and_keeps_its_share(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    serving(server)
    server.state.coming["image-classifier"] = [split(100), *[split(10, 2, healthy=False)] * 99]
    assert canary(server, "start", "--storage-uri", NEW, "--timeout", "0.05") == 1
    said = capsys.readouterr().err
    assert said == "error: InferenceService image-classifier: not ready after 0.05 s: Ready False (RevisionFailed)\n"
    assert predictor(server)["canaryTrafficPercent"] == 10


def test_the_canary_owns_what_it_sets(server: ApiServer) -> None:
    serving(server)
    server.state.coming["image-classifier"] = [split(100), split(10, 2)]
    assert canary(server, "start", "--storage-uri", NEW) == 0
    (owners,) = [owners for key, owners in server.state.owners.items() if key.plural == "inferenceservices"]
    assert owners == {
        ".spec.predictor.canaryTrafficPercent": "image-classifier-canary",
        ".spec.predictor.model.storageUri": "image-classifier-canary",
    }


def test_a_new_image_is_tried_by_its_runtime_where_the_bundle_is_in_it(server: ApiServer) -> None:
    serving(server, model={"runtime": "image-classifier-grpc"})
    server.state.coming["image-classifier"] = [split(100), split(10, 2)]
    assert canary(server, "start", "--runtime", "image-classifier-grpc-next") == 0
    assert predictor(server)["canaryTrafficPercent"] == 10
    assert predictor(server)["model"] == {"runtime": "image-classifier-grpc-next"}


def test_the_status_changes_nothing(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    serving(server)
    assert canary(server, "status") == 0
    assert (
        capsys.readouterr().out
        == f"image-classifier: ready, no canary, bundle {OLD}, runtime image-classifier-grpc\n  100 %  r-2  (latest)\n"
    )
    assert server.state.changes == []


ANOTHER = f"expected --storage-uri or --runtime of another than bundle {OLD}, runtime image-classifier-grpc"

REFUSALS: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    (("promote",), {}, "expected a canary to promote, found none: image-classifier serves one bundle"),
    (("rollback",), {}, "expected a canary to roll back, found none: image-classifier serves one bundle"),
    (
        ("promote",),
        {"canaryTrafficPercent": 0},
        "expected a share above 0 to promote, found 0: it was rolled back; start it again first",
    ),
    (
        ("rollback",),
        {"canaryTrafficPercent": 0},
        "expected a share above 0 to roll back, found 0: it was rolled back before",
    ),
    (("start",), {}, ANOTHER),
    (
        ("start", "--storage-uri", OLD),
        {},
        ANOTHER,
    ),
    (
        ("start", "--storage-uri", NEW),
        {"model": {"runtime": "image-classifier-grpc"}},
        "expected image-classifier to have a storageUri, found none: its bundle is in the image",
    ),
    (
        ("promote", "--name", "dogs"),
        {},
        f"expected InferenceService dogs in namespace {NAMESPACE}, found none",
    ),
    (
        ("status", "--namespace", "elsewhere"),
        {},
        "expected InferenceService image-classifier in namespace elsewhere, found none",
    ),
]


@pytest.mark.parametrize(("arguments", "fields", "expected"), REFUSALS)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    server: ApiServer,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    fields: dict[str, Any],
    expected: str,
) -> None:
    serving(server, **fields)
    assert canary(server, *arguments) == 1
    assert capsys.readouterr() == ("", f"error: canary: {expected}\n")
    assert server.state.changes == []


def test_standard_mode_has_its_own_canary(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    serving(server)["status"]["deploymentMode"] = "RawDeployment"
    assert canary(server, "start", "--storage-uri", NEW) == 1
    expected = "error: canary: expected deploymentMode Knative, found Standard: see overlay standard-canary\n"
    assert capsys.readouterr().err == expected


def test_a_canary_needs_a_service_that_is_ready(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    serving(server)["status"] = split(100, healthy=False)
    assert canary(server, "start", "--storage-uri", NEW) == 1
    assert (
        capsys.readouterr().err == "error: canary: expected image-classifier to be ready before, found it not ready\n"
    )


@pytest.mark.parametrize("percent", ["0", "100", "-1", "ten", "1.5"])
def test_a_share_is_a_part(server: ApiServer, capsys: pytest.CaptureFixture[str], percent: str) -> None:
    with pytest.raises(SystemExit):
        canary(server, "start", "--storage-uri", NEW, f"--percent={percent}")
    assert f"argument --percent: expected a whole number from 1 to 99, got {percent}" in capsys.readouterr().err


def test_a_server_that_is_away_is_one_line(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert canary(server, "status", "--context", "elsewhere") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: cluster: expected an answer of the API server, found none: ")
