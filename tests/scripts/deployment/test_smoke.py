import pytest

from scripts.deployment.smoke import Smoke
from scripts.draw_sample import SAMPLE
from scripts.errors import RunError
from tests.scripts.deployment.ingress import ANSWER, ingress


def service(url: str | None) -> dict[str, object]:
    status = {} if url is None else {"url": url}
    return {"metadata": {"name": "cats"}, "spec": {"predictor": {}, "transformer": {}}, "status": status}


def test_a_service_is_asked_by_its_own_address() -> None:
    with ingress() as front:
        assert "traffic light" in Smoke(SAMPLE).test(service(front.address))
    assert front.asked[0].headers["host"] == front.address.removeprefix("http://")


def test_an_ingress_that_is_still_learning_is_asked_again() -> None:
    with ingress((404, ""), (503, ""), (200, ANSWER)) as front:
        assert "traffic light" in Smoke(SAMPLE, poll_seconds=0.01).test(service(front.address))
    assert len(front.asked) == 3


def test_an_ingress_that_never_learns_is_told() -> None:
    with ingress((404, "no route")) as front, pytest.raises(RunError) as caught:
        Smoke(SAMPLE, settle_seconds=0.05, poll_seconds=0.01).test(service(front.address))
    assert str(caught.value) == f"smoke test: expected status 200 from {front.address}/predict, got 404: no route"


def test_an_address_that_nobody_listens_on_is_told() -> None:
    with pytest.raises(RunError, match=r"^smoke test: expected an answer from http://127.0.0.1:9/predict, got none: "):
        Smoke(SAMPLE, "http://127.0.0.1:9", settle_seconds=0).test(service("http://cats.example.com"))


def test_an_answer_without_predictions_is_shown() -> None:
    with (
        ingress((200, "<html>")) as front,
        pytest.raises(RunError, match=r"^smoke test: expected predictions, got <html>$"),
    ):
        Smoke(SAMPLE).test(service(front.address))


def test_a_service_without_an_address_is_told() -> None:
    with pytest.raises(RunError, match=r"^smoke test: expected a status.url of cats, found none$"):
        Smoke(SAMPLE).test(service(None))
