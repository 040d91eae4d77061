"""Settings are checked together; a mistake is named with its value."""

from pathlib import Path

import pytest

from predictor.settings import PredictorSettings
from serving.settings import ServerSettings, SettingsError, read
from transformer.settings import TransformerSettings


def test_flags_are_read_with_either_spelling() -> None:
    settings = read(ServerSettings, ["--http_port=1", "--grpc-port", "2", "--model_name", "cats"])
    assert (settings.http_port, settings.grpc_port, settings.model_name) == (1, 2, "cats")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(read(ServerSettings, []), "http_port", 1)  # noqa: B010  # the plain form does not type-check


def test_each_mistake_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        read(ServerSettings, ["--http_port=x", "--max_in_flight=0"])
    assert "http_port: input should be a valid integer" in str(caught.value)
    assert "got 'x'; max_in_flight: input should be greater than 0, got '0'" in str(caught.value)


def test_words_may_be_separated_by_commas_and_spaces() -> None:
    flags = [
        "--predictor_host=p",
        "--fetch_allowed_hosts=a:1, b",
        "--fetch_denied_networks",
        "203.0.113.0/24 2001:db8::/32",
    ]
    settings = read(TransformerSettings, flags)
    assert settings.fetch_allowed_hosts == {"a:1", "b"}
    assert [str(network) for network in settings.fetch_denied_networks] == ["203.0.113.0/24", "2001:db8::/32"]


def test_a_predictor_serves_what_kserve_mounts() -> None:
    assert read(PredictorSettings, []).model_dir == Path("/mnt/models")
