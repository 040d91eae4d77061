import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.excerpt import LENGTH_LIMIT, excerpt

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (0.5, "0.5"),
        ("text", "'text'"),
        (b"\x00\xff", r"b'\x00\xff'"),
        ([1, 2], "a list"),
        ({"a": 1}, "an object"),
        ((2, 3), "[2, 3]"),
        ("two\nlines", r"'two\nlines'"),
        ("x" * 28, "'" + "x" * 28 + "'"),
        ("x" * 29, "'" + "x" * 26 + "..."),
    ],
)
def test_a_value_is_shown_on_one_line(value: object, shown: str) -> None:
    assert excerpt(value) == shown


@given(json_values | st.binary())
def test_no_value_is_shown_at_length(value: object) -> None:
    assert len(excerpt(value)) <= LENGTH_LIMIT


@pytest.mark.parametrize("value", ["x" * 10_000_000, b"x" * 10_000_000])
def test_a_long_value_is_not_copied(value: str | bytes) -> None:
    tracemalloc.start()
    excerpt(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000


def test_a_deeply_nested_list_is_not_walked() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    assert excerpt(value) == "a list"
    while value:
        value = value.pop()  # type: ignore[assignment]  # each holds one list, taken apart without recursion
