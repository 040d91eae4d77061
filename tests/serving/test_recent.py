"""Label values that come and go: the last few are kept, the others are forgotten, each once."""

from serving.recent import Recent


def test_a_value_is_new_once() -> None:
    recent: Recent[str] = Recent(lambda _: None)
    assert [recent.is_new(value) for value in ("a", "b", "a")] == [True, True, False]


def test_the_value_seen_longest_ago_is_forgotten_for_one_too_many() -> None:
    forgotten: list[str] = []
    recent = Recent(forgotten.append, most=2)
    for value in ("a", "b", "a", "c"):
        recent.is_new(value)
    assert forgotten == ["b"]
    assert recent.is_new("b"), "it is new again"
    assert forgotten == ["b", "a"]
