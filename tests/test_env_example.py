"""`.env.example` tells every setting, with the default that it has."""

import re
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from predictor.settings import PredictorSettings
from transformer.settings import TransformerSettings

EXAMPLE = (Path(__file__).resolve().parents[1] / ".env.example").read_text()
TOLD = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))

SET_BY_KSERVE = {"WORKERS", "REVISION"}
"""Not for people: the one may only be 1, the other comes as K_REVISION."""

FIELDS: dict[str, FieldInfo] = {
    name.upper(): field
    for settings in (PredictorSettings, TransformerSettings)
    for name, field in settings.model_fields.items()
}


def test_every_setting_is_told_and_nothing_else() -> None:
    assert set(TOLD) == set(FIELDS) - SET_BY_KSERVE


def test_each_value_told_is_the_default() -> None:
    read = {
        name: TypeAdapter(FIELDS[name].annotation or str).validate_python(text) for name, text in TOLD.items() if text
    }
    assert read == {name: FIELDS[name].default for name in read}


def test_a_setting_without_a_value_has_no_fixed_default() -> None:
    for name in (name for name, text in TOLD.items() if not text):
        assert FIELDS[name].is_required() or FIELDS[name].default_factory or not FIELDS[name].default
