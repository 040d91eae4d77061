"""Who takes part, under which loads."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plan import STEADY, Plan, plan, tasks
from scripts.errors import RunError

BOTH = ("float32", "int8")


def planned(directory: Path, graphs: Sequence[str] = BOTH, **others: Any) -> Plan:
    (directory / "model.json").write_text(json.dumps({"graphs": {name: {} for name in graphs}}))
    asked: Mapping[str, Any] = {"only": (), "loads": (), "pythons": {}, "rounds": 3, "seconds": 10.0} | others
    return plan(directory, **asked)


def names(given: Plan) -> list[str]:
    return [each.name for each in given.contenders]


def test_the_plain_way_comes_first_for_its_answers_are_the_reference(tmp_path: Path) -> None:
    assert names(planned(tmp_path))[:5] == ["plain", "ours float32", "ours bfloat16", "ours int8", "strong"]


def test_a_bundle_without_int8_leaves_it_out_and_says_so(tmp_path: Path) -> None:
    given = planned(tmp_path, ["float32"])
    assert "ours int8" not in names(given)
    assert "ours int8: the bundle has no graph int8" in given.left_out
    assert {each.precision for each in given.floors} == {"float32", "bfloat16"}


def test_a_bundle_without_graphs_leaves_the_plain_way(tmp_path: Path) -> None:
    given = planned(tmp_path, [], only=("plain", "ours", "floor"))
    assert (names(given), given.floors) == (["plain"], ())


def test_a_peer_that_is_not_installed_is_left_out_and_named(tmp_path: Path) -> None:
    given = planned(tmp_path, only=("plain", "litserve"), pythons={"litserve": sys.executable})
    assert names(given) == ["plain"]
    assert given.left_out[0].startswith("litserve: package litserve is not installed")


def test_contenders_and_loads_are_chosen_by_parts_of_their_names(tmp_path: Path) -> None:
    given = planned(tmp_path, only=("plain", "bfloat16"), loads=("640x480 c=",))
    assert names(given) == ["plain", "ours bfloat16"]
    assert {each.precision for each in given.floors} == {"bfloat16"}
    assert [each.name for each in given.tasks] == ["c=1", "c=4", "c=20", "c=64", STEADY]


def test_our_servers_take_part_once_more_with_another_setting(tmp_path: Path) -> None:
    given = planned(tmp_path, only=("ours bfloat16",), variants=("INFERENCE_STREAMS=2",))
    assert names(given) == ["ours bfloat16", "ours bfloat16 INFERENCE_STREAMS=2"]
    as_it_comes, varied = (each.site(tmp_path, sys.executable).programs for each in given.contenders)
    assert [program.environment.get("INFERENCE_STREAMS") for program in (*as_it_comes, *varied)] == [
        None,
        None,
        "2",
        "2",
    ]


@pytest.mark.parametrize("nothing", [{"only": ("nobody",)}, {"loads": ("none",)}])
def test_choosing_nothing_is_an_error(tmp_path: Path, nothing: Mapping[str, Any]) -> None:
    with pytest.raises(RunError, match="nothing is left to measure"):
        planned(tmp_path, **nothing)


def test_a_directory_that_is_no_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="--bundle: expected a bundle"):
        plan(tmp_path, 3, 10, (), (), {})


def test_the_load_for_the_tail_lasts_six_times_as_long() -> None:
    lasting = {each.name: each.load.seconds for each in tasks(10)}
    assert lasting.pop(STEADY) == 60
    assert set(lasting.values()) == {10}


def test_photos_of_both_sizes_are_sent() -> None:
    assert {each.photos.name for each in tasks(1)} == {"640x480", "4000x3000"}


def test_every_way_of_the_floor_takes_its_turn_beside_twenty_clients(tmp_path: Path) -> None:
    given = planned(tmp_path)
    beside = {f"{task.photos.name} {task.name}": len(given.floors_beside(task)) for task in given.tasks}
    assert {load: count for load, count in beside.items() if count} == {
        "640x480 c=1": 3,
        "640x480 c=20": 9,
        f"640x480 {STEADY}": 1,
        "4000x3000 c=4": 9,
    }
