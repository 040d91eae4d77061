import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.digits import few_digits


def text(numbers: list[int]) -> bytes:
    return ",".join(map(str, numbers)).encode()


@given(st.lists(st.integers(0, 999), min_size=1))
def test_integers_of_few_digits_read_back(numbers: list[int]) -> None:
    found = few_digits(text(numbers))
    assert found is not None
    assert found.tolist() == numbers


@given(
    st.lists(st.integers(0, 999)),
    st.one_of(st.integers(min_value=1000), st.integers(max_value=-1)),
    st.lists(st.integers(0, 999)),
)
def test_one_that_is_longer_or_has_a_sign_leaves_the_text_to_others(
    before: list[int], other: int, after: list[int]
) -> None:
    assert few_digits(text([*before, other, *after])) is None


@pytest.mark.parametrize("zero", [b"-0", b"1,-0", b"-0,1"])
def test_minus_zero_has_a_sign(zero: bytes) -> None:
    assert few_digits(zero) is None
