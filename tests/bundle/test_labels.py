import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle import labels
from bundle.errors import BundleError

LABEL = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).filter(str.strip)


@given(st.lists(LABEL, min_size=1))
def test_labels_read_back_as_they_were_written(lines: list[str]) -> None:
    labels.check(lines, len(lines), "labels.txt")
    assert labels.parse("\n".join(lines) + "\n") == tuple(lines)


def test_the_last_newline_may_be_missing() -> None:
    assert labels.parse("one\ntwo") == labels.parse("one\ntwo\n") == ("one", "two")


@given(LABEL, st.sampled_from("\n\r\v\f\x00\x1b\x85\u2028\u2029"))
def test_a_label_that_breaks_a_line_is_refused(label: str, breaker: str) -> None:
    with pytest.raises(BundleError, match="line 2"):
        labels.check(["one", f"{label}{breaker}{label}"], 2, "labels.txt")
