"""Searches in these tests draw fewer networks for the reference point, most of what a search costs without training."""

from collections.abc import Iterator

import pytest

from dse.study import reference_point


@pytest.fixture(autouse=True, scope="module")
def few_networks_for_the_reference() -> Iterator[None]:
    """Four of them."""
    usual = reference_point.SAMPLED_NETWORKS
    reference_point.SAMPLED_NETWORKS = 4
    yield
    reference_point.SAMPLED_NETWORKS = usual
