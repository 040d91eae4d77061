"""What a node must fetch, unpacked."""

import pytest

from tests.images.store import BASE, Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MB = 1_000_000
BUDGETS = {"predictor": 650 * MB, "transformer": 450 * MB}
LAYER_BUDGET = 500 * MB


@pytest.mark.parametrize("image", BUDGETS)
def test_an_image_keeps_its_budget_over_the_base(images: Store, image: str) -> None:
    assert sum(images.layer_bytes(image)) - sum(images.layer_bytes(BASE)) < BUDGETS[image]


@pytest.mark.parametrize("image", BUDGETS)
def test_no_layer_is_too_large_to_fetch_beside_others(images: Store, image: str) -> None:
    assert max(images.layer_bytes(image)) < LAYER_BUDGET
