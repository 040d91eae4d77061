import re
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from oip.classification import Classified, checked_k, decode, encode
from oip.errors import InvalidRequest
from oip.excerpt import excerpt

ROWS = np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], np.float32)
LABELS = ["cat", "dog", "a: fish"]

finite_rows = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(1, 12)),
    elements=st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.25, 0.5]),
)


def test_the_best_classes_come_first() -> None:
    expected = [[b"0.7:1:dog", b"0.2:2:a: fish"], [b"0.5:0:cat", b"0.25:1:dog"]]
    assert encode(ROWS, 2, LABELS).tolist() == expected


def test_labels_are_left_out_when_there_are_none() -> None:
    assert encode(ROWS, 1, []).tolist() == [[b"0.7:1"], [b"0.5:0"]]


@pytest.mark.parametrize("k", [1, 2, 7, 50])
def test_ties_stand_in_the_order_of_their_indices(k: int) -> None:
    indices = [decode(entry).index for entry in encode(np.full((1, 50), 0.02, np.float32), k, [])[0]]
    assert indices == list(range(k))


def test_no_rows_give_no_entries() -> None:
    assert encode(np.empty((0, 3), np.float32), 2, LABELS).shape == (0, 2)


@given(finite_rows, st.data())
def test_it_is_a_full_stable_sort_cut_at_k(rows: NDArray[np.float32], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, rows.shape[1]))
    expected = np.argsort(-rows, axis=1, kind="stable")[:, :k]
    found = [[decode(entry).index for entry in row] for row in encode(rows, k, [])]
    assert found == expected.tolist()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.text())
@example(float(np.float32(3.4028235e38)), "")
@example(float(np.float32(1e-45)), ":")
@example(float(np.float32(16777216)), "a\nb")
def test_a_value_reads_back_exactly_with_its_label(value: float, label: str) -> None:
    entry = encode(np.array([[value]], np.float32), 1, [label])[0, 0]
    classified = decode(entry)
    assert (np.float32(classified.value), classified.index, classified.label) == (np.float32(value), 0, label)


@pytest.mark.parametrize(
    ("k", "shown"),
    [(0, "0"), (-1, "-1"), (4, "4"), (True, "true"), (1.0, "1.0"), ("1", "'1'"), (None, "null"), (2**64, str(2**64))],
)
def test_a_wrong_number_of_classes_is_refused(k: Any, shown: str) -> None:
    text = re.escape(f"classification: expected an integer from 1 to 3, got {shown}")
    with pytest.raises(InvalidRequest, match=f"^{text}$"):
        encode(ROWS, k, LABELS)


@pytest.mark.parametrize("k", [1, 1000])
def test_the_limits_themselves_are_allowed(k: int) -> None:
    assert checked_k(k, 1000) == k


@pytest.mark.parametrize(
    ("entry", "classified"),
    [
        (b"0.5:3", Classified(0.5, 3, "")),
        (b"0.5:3:", Classified(0.5, 3, "")),
        (b"1:0:a:b:c", Classified(1.0, 0, "a:b:c")),
        (b"9.094947e-13:999:\xc3\xa9", Classified(9.094947e-13, 999, "é")),
        (b"-1.5E+2:7", Classified(-150.0, 7, "")),
        (b"0." + b"5" * 20 + b":999999999", Classified(5 / 9, 999_999_999, "")),
        (b"1" + b"0" * 19 + b"e-019:0", Classified(1.0, 0, "")),
    ],
)
def test_an_entry_is_split_at_most_twice(entry: bytes, classified: Classified) -> None:
    assert decode(entry) == classified


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"0.5",
        b"0.5:",
        b":1",
        b"0.5::cat",
        b"nan:1:cat",
        b"inf:1:cat",
        b"1e999:1:cat",
        b"half:1:cat",
        b" 0.5:1",
        b"1_0:1",
        b"0.5:-1",
        b"0.5:1.0",
        b"0.5:one:cat",
        b"0.5:1\n",
        b"0.5:" + b"9" * 5000,
        b"9" * 5000 + b":1",
        b"0.5:1000000000",
        b"0." + b"5" * 21 + b":1",
        b"1" + b"0" * 20 + b":1",
        b"1e0001:1",
        "\N{ARABIC-INDIC DIGIT ZERO}:1".encode(),
    ],
)
def test_nonsense_is_refused(entry: bytes) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        decode(entry)
    assert str(refusal.value) == f"classification: expected value:index:label, got {excerpt(entry)}"


def test_an_entry_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^classification: expected UTF-8, got other bytes$"):
        decode(b"0.5:1:\xff")


@given(st.binary())
def test_random_bytes_are_an_entry_or_refused(entry: bytes) -> None:
    try:
        classified = decode(entry)
    except InvalidRequest:
        return
    assert np.isfinite(classified.value)


@pytest.mark.parametrize(
    ("rows", "labels", "text"),
    [
        (np.array([[0.5, np.nan]], np.float32), [], "expected finite values, got NaN or infinity"),
        (np.array([[0.5, np.inf]], np.float32), [], "expected finite values, got NaN or infinity"),
        (np.array([0.5], np.float32), [], "expected float32 [N, C], got float32 [1]"),
        (np.array([[0.5]], np.float64), [], "expected float32 [N, C], got float64 [1, 1]"),
        (np.array([[0.5]], np.float32), ["one", "two"], "expected 1 labels or none, got 2"),
    ],
)
def test_a_fault_of_the_model_is_no_fault_of_the_client(rows: NDArray[Any], labels: list[str], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$") as fault:
        encode(rows, 1, labels)
    assert not isinstance(fault.value, InvalidRequest)


def test_a_huge_entry_costs_no_more_than_itself() -> None:
    entry = b"0.5:1:" + b"x" * 1_000_000
    tracemalloc.start()
    assert len(decode(entry).label) == 1_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(entry)
