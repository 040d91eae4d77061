from pathlib import Path

import pytest
from pydantic import ValidationError

from bundle.record import Agreement, Architecture, Graph, Preset, Record
from oip.contract import Preprocessing
from tests.bundle import tiny


def record(directory: Path) -> Record:
    return Record.model_validate_json((directory / "model.json").read_bytes())


def test_a_record_reads_back_as_it_was_written(directory: Path) -> None:
    first = record(directory)
    assert Record.model_validate_json(first.model_dump_json()) == first


def test_graphs_read_back_as_they_were_written(directory: Path) -> None:
    first = record(tiny.add_graphs(directory))
    assert first.graphs == {
        "float32": Graph(model="openvino/float32.xml", weights="openvino/float32.bin"),
        "int8": Graph(
            model="openvino/int8.xml", weights="openvino/int8.bin", agreement=Agreement.model_validate(tiny.AGREEMENT)
        ),
    }
    assert Record.model_validate_json(first.model_dump_json()) == first


def test_a_record_from_before_there_were_graphs_has_none(directory: Path) -> None:
    assert record(directory).graphs == {}


def test_a_record_cannot_be_changed(directory: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        record(directory).classes = 5


def test_a_preset_gives_the_half_that_the_contract_states() -> None:
    preset = Preset(resize=342, crop=299, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    assert preset.contract == Preprocessing(342, 299, "bicubic")


@pytest.mark.parametrize("options", [{}, {"transform_input": True}, {"image_size": 518}, {"input_size": (256, 256)}])
def test_options_keep_their_types(options: dict[str, bool | int | tuple[int, ...]]) -> None:
    first = Architecture(name="any", options=options)
    again = Architecture.model_validate_json(first.model_dump_json())
    assert again.options == options
    assert [type(value) for value in again.options.values()] == [type(value) for value in options.values()]


@pytest.mark.parametrize("option", ["null", '{"a": 1}', "[[1]]", "NaN", "1e999"])
def test_an_option_that_no_builder_takes_is_refused(option: str) -> None:
    with pytest.raises(ValidationError):
        Architecture.model_validate_json(f'{{"name": "any", "options": {{"x": {option}}}}}')
