"""The sizes that an engine runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.engine import graph_of, steps_to


@pytest.mark.parametrize(
    ("top", "steps"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8)), (9, (1, 2, 4, 8, 9))]
)
def test_the_steps_are_powers_of_two_and_the_top(top: int, steps: tuple[int, ...]) -> None:
    assert steps_to(top) == steps


@given(st.integers(1, 128))
def test_no_batch_is_padded_to_twice_its_size(top: int) -> None:
    steps = steps_to(top)
    assert steps == tuple(sorted(set(steps)))
    assert all(next(step for step in steps if step >= images) < 2 * images for images in range(1, top + 1))


def test_bfloat16_is_computed_with_the_float32_graph() -> None:
    assert [graph_of("float32"), graph_of("bfloat16"), graph_of("int8")] == ["float32", "float32", "int8"]
