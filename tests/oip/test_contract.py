import pytest

from oip import contract
from oip.contract import VERSION, Preprocessing
from oip.errors import InvalidRequest


def test_the_names_of_version_1_are_these() -> None:
    assert (VERSION, contract.INPUT, contract.OUTPUT) == (1, "image", "probabilities")
    assert (contract.CLASSIFICATION, contract.FINGERPRINT) == ("classification", "fingerprint")
    assert (contract.MODEL_INFO, contract.MAX_IMAGES) == ("model_info", 64)


def test_the_fingerprint_is_version_and_preprocessing() -> None:
    assert Preprocessing(232, 224).fingerprint == "1-bilinear-232-224"


@pytest.mark.parametrize(
    "preprocessing", [Preprocessing(232, 224), Preprocessing(64, 48, "bicubic"), Preprocessing(8, 8, "nearest")]
)
def test_a_fingerprint_reads_back(preprocessing: Preprocessing) -> None:
    assert Preprocessing.from_fingerprint(preprocessing.fingerprint) == preprocessing


@pytest.mark.parametrize(
    "text", ["", "1-bilinear-232", "1-lanczos-232-224", "1-bilinear-232-224-", "x-bilinear-232-224"]
)
def test_a_malformed_fingerprint_is_refused(text: str) -> None:
    expected = f"fingerprint: expected VERSION-INTERPOLATION-RESIZE-CROP, got '{text}'"
    with pytest.raises(InvalidRequest, match=f"^{expected}$"):
        Preprocessing.from_fingerprint(text)


def test_a_fingerprint_of_another_contract_version_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=rf"^fingerprint: expected contract version {VERSION}, got version 9$"):
        Preprocessing.from_fingerprint("9-bilinear-232-224")
