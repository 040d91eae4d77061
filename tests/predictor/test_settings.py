import pytest

from predictor.settings import PredictorSettings
from serving.cores import available_cores
from serving.settings import SettingsError, read


def test_an_engine_has_all_cores_unless_told_otherwise() -> None:
    assert read(PredictorSettings, []).inference_threads == available_cores()
    assert read(PredictorSettings, ["--inference_threads=1"]).inference_threads == 1


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--inference_threads=1000", f"inference_threads: expected at most {available_cores()}, the cores that this"),
        ("--max_waiting_images=63", "max_waiting_images: input should be greater than or equal to 64, got '63'"),
        ("--max_wait_ms=1001", "max_wait_ms: input should be less than or equal to 1000, got '1001'"),
    ],
)
def test_what_would_stand_in_its_own_way_is_refused(flag: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(PredictorSettings, [flag])
