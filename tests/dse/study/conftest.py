"""Searches in these tests draw fewer networks for the reference point, most of what a search costs without training."""

import pytest

from dse.study import reference_point


@pytest.fixture(autouse=True, scope="session")
def few_networks_for_the_reference() -> None:
    """Four of them."""
    reference_point.SAMPLED_NETWORKS = 4
