"""Any number of images is run in the steps that cost least, and answered as if each had been run alone."""

import threading
from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.ladder import Cover, Ladder, cheapest_covers, plausible
from tests.predictor.engines import CROP, Echo, images, numbers_in

COSTS = st.dictionaries(st.integers(2, 8), st.integers(1, 40), max_size=3).flatmap(
    lambda costs: st.integers(1, 40).map(lambda one: {1: one, **costs})
)


def warm(engine: Echo) -> Ladder:
    ladder = Ladder(engine, CROP, engine.clock_ns)
    ladder.warm_up()
    engine.forget()
    return ladder


@pytest.mark.parametrize(
    ("costs", "count", "cover"),
    [
        ({1: 10}, 3, (1, 1, 1)),
        ({1: 10, 4: 30}, 3, (4,)),  # as dear as three, but one run
        ({1: 10, 4: 31}, 3, (1, 1, 1)),  # padding costs more
        ({1: 10, 4: 31}, 4, (4,)),
        ({1: 10, 4: 31}, 5, (4, 1)),
        ({1: 10, 4: 31}, 7, (4, 1, 1, 1)),
        ({1: 10, 4: 29}, 7, (4, 4)),
        ({1: 10, 2: 15, 4: 90}, 4, (2, 2)),  # a step that is worth nothing is never run
        ({1: 10, 2: 10, 4: 10}, 2, (2,)),
        ({1: 10, 3: 24, 4: 36}, 6, (3, 3)),  # the greatest first would be (4, 1, 1)
        ({1: 5, 8: 10, 128: 20}, 64, (128,)),
    ],
)
def test_the_cheapest_steps_cover_the_images(costs: Mapping[int, int], count: int, cover: Cover) -> None:
    assert cheapest_covers(costs, count)[count] == cover


@given(COSTS, st.integers(1, 10))
def test_no_cover_is_cheaper_and_none_as_cheap_is_shorter(costs: Mapping[int, int], count: int) -> None:
    def judged(cover: Cover) -> tuple[int, int]:
        return sum(costs[step] for step in cover), len(cover)

    every = (cover for runs in range(1, count + 1) for cover in combinations_with_replacement(costs, runs))
    best = min(judged(cover) for cover in every if sum(cover) >= count)
    found = cheapest_covers(costs, count)[count]
    assert sum(found) >= count
    assert judged(found) == best


@given(COSTS, st.integers(1, 80))
def test_the_first_step_of_a_cover_is_the_best_for_what_it_holds(costs: Mapping[int, int], count: int) -> None:
    covers = cheapest_covers(costs, count)
    first = min(count, covers[count][0])
    assert len(covers[first]) == 1
    assert list(covers[count]) == sorted(covers[count], reverse=True)


def test_the_costs_are_those_that_warming_up_measured() -> None:
    engine = Echo((1, 2, 4), cost_ns={1: 10, 2: 18, 4: 40}.__getitem__)
    ladder = warm(engine)
    assert ladder.cover(4) == (2, 2)


def test_the_first_run_of_a_step_does_not_count() -> None:
    seen: set[int] = set()

    def slow_at_first(size: int) -> int:
        first = size not in seen
        seen.add(size)
        return 1000 * size**2 if first else size

    engine = Echo((1, 4), cost_ns=slow_at_first)
    ladder = warm(engine)
    assert ladder.cover(4) == (4,)


def test_a_step_that_something_else_held_up_is_judged_by_its_quickest_run() -> None:
    costs = {1: iter([10, 10, 10, 10]), 4: iter([900, 500, 30, 30])}
    ladder = warm(Echo((1, 4), cost_ns=lambda size: next(costs[size])))
    assert ladder.cover(4) == (4,)


def test_warming_up_goes_on_while_the_machine_gets_quieter() -> None:
    costs = {1: iter([90, 80, 60, 40, 20, 9, 9]), 4: iter([900, 500, 300, 200, 100, 40, 40])}
    ladder = warm(Echo((1, 4), cost_ns=lambda size: next(costs[size])))
    assert ladder.cover(4) == (1, 1, 1, 1)
    assert [next(left, None) for left in costs.values()] == [None, None]


def test_warming_up_ends_once_more_images_cost_more_in_all_and_less_each() -> None:
    engine = Echo((1, 2, 4), cost_ns={1: 10, 2: 18, 4: 32}.__getitem__)
    Ladder(engine, CROP, engine.clock_ns).warm_up()
    assert [len(batch) for batch in engine.batches] == [1, 2, 4] * 2


def test_warming_up_ends_even_if_the_machine_never_settles() -> None:
    engine = Echo((1, 2), cost_ns=lambda size: 3 ** (60 - len(engine.batches)) * size**3)
    Ladder(engine, CROP, engine.clock_ns).warm_up()
    assert len(engine.batches) == 12 * 2


def test_fewer_images_never_cost_more_than_more_of_them() -> None:
    assert plausible({1: 25, 2: 12, 4: 30, 8: 28}) == {1: 12, 2: 12, 4: 28, 8: 28}
    ladder = warm(Echo((1, 2), cost_ns={1: 25, 2: 12}.__getitem__))
    assert ladder.cover(1) == (1,)


def test_warming_up_runs_the_steps_in_turn_so_that_what_disturbs_one_does_not_disturb_all_its_runs() -> None:
    engine = Echo((1, 2, 8), cost_ns={1: 10, 2: 30, 8: 90}.__getitem__)
    Ladder(engine, CROP, engine.clock_ns).warm_up()
    assert [len(batch) for batch in engine.batches] == [1, 2, 8] * 3


def test_warming_up_runs_every_stream() -> None:
    engine = Echo((1, 2), streams=2)
    engine.gate.clear()
    warming = threading.Thread(target=Ladder(engine, CROP).warm_up)
    warming.start()
    engine.wait_until_running(2)
    engine.gate.set()
    warming.join(10)
    assert engine.most_at_once == 2


@given(COSTS, st.lists(st.integers(0, 255), min_size=1, max_size=64))
def test_any_number_of_images_is_answered_in_order(costs: Mapping[int, int], numbers: list[int]) -> None:
    ladder = warm(Echo(sorted(costs), cost_ns=costs.__getitem__))
    assert numbers_in(ladder.infer(images(numbers))) == numbers


def test_more_images_than_the_top_take_several_runs() -> None:
    engine = Echo((1, 4), cost_ns={1: 10, 4: 30}.__getitem__)
    ladder = warm(engine)
    assert numbers_in(ladder.infer(images(range(10)))) == list(range(10))
    assert engine.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8], [9]]


def test_a_batch_of_exactly_one_step_is_not_copied() -> None:
    engine = Echo((1, 4), cost_ns={1: 10, 4: 20}.__getitem__)
    ladder = warm(engine)
    given_images = images(range(4))
    ladder.infer(given_images)
    assert np.shares_memory(engine.arrays[0], given_images)


def test_padding_has_no_answer() -> None:
    engine = Echo((1, 4), cost_ns={1: 10, 4: 20}.__getitem__)
    ladder = warm(engine)
    assert numbers_in(ladder.infer(images((7, 8, 9)))) == [7, 8, 9]
    assert engine.batches == [[7, 8, 9, 0]]


def test_a_request_may_be_as_large_as_the_contract_allows() -> None:
    assert Ladder(Echo((1, 4)), CROP).limit == 64
    assert Ladder(Echo((1, 128)), CROP).limit == 128
