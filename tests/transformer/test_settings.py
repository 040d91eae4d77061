import pytest

from serving.cores import available_cores
from serving.settings import SettingsError, read
from transformer.settings import TransformerSettings

HOST = "--predictor_host=predictor"


def test_large_photos_are_decoded_fast_unless_exact_is_asked_for() -> None:
    assert read(TransformerSettings, [HOST]).decode == "fast"
    assert read(TransformerSettings, [HOST, "--decode=exact"]).decode == "exact"


def test_another_way_to_decode_is_refused() -> None:
    with pytest.raises(SettingsError, match="decode: input should be 'exact' or 'fast', got 'rough'"):
        read(TransformerSettings, [HOST, "--decode=rough"])


def test_decoding_takes_all_cores_unless_told_otherwise() -> None:
    assert read(TransformerSettings, [HOST]).decode_threads == available_cores()


def test_more_threads_for_decoding_than_cores_are_refused() -> None:
    cores = available_cores()
    said = f"decode_threads: expected at most {cores}, the cores that this process may use, got '{cores + 1}'"
    with pytest.raises(SettingsError, match=said):
        read(TransformerSettings, [HOST, f"--decode_threads={cores + 1}"])
