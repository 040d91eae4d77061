import pytest

from oip.errors import InvalidRequest
from oip.names import check_distinct, checked_name


def test_a_name_is_kept() -> None:
    assert checked_name("inputs[0]", "image") == "image"


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs\[0\] name: expected a non-empty string, got an empty one$"):
        checked_name("inputs[0]", "")


@pytest.mark.parametrize("names", [[], ["a"], ["a", "A"]])
def test_distinct_names_pass(names: list[str]) -> None:
    check_distinct("inputs", names)


def test_the_first_name_given_twice_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs: expected distinct names, got 'b' twice$"):
        check_distinct("inputs", ["a", "b", "c", "b", "a"])
