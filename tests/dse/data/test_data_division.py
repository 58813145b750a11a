"""The division into parts: stratified, exact, and the same for ever."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dse.data.division import apportion, set_aside

COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=8)


def apportion_slowly(counts, total):
    """Largest remainder in exact fractions, one seat at a time."""
    from fractions import Fraction

    exact = [Fraction(count * total, sum(counts)) for count in counts]
    shares = [int(share) for share in exact]
    while sum(shares) < total:
        rest = [share - got for share, got in zip(exact, shares, strict=True)]
        shares[rest.index(max(rest))] += 1
    return shares


@given(COUNTS, st.floats(0, 1))
def test_apportion_is_the_largest_remainder_method(counts, part):
    total = int(part * sum(counts))
    assert apportion(np.array(counts), total).tolist() == apportion_slowly(counts, total)


@given(COUNTS, st.floats(0, 1), st.randoms(use_true_random=False))
def test_set_aside_covers_every_sample_once_and_is_stratified(counts, part, random):
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    random.shuffle(labels)
    labels, total = np.array(labels, np.int64), int(part * len(labels))
    kept, aside = set_aside(labels, total)
    assert sorted([*kept, *aside]) == list(range(len(labels)))
    assert list(kept) == sorted(kept)
    assert list(aside) == sorted(aside)
    taken = np.bincount(labels[aside], minlength=len(counts)) if len(aside) else np.zeros(len(counts))
    assert taken.tolist() == apportion_slowly(counts, total)


def test_another_seed_sets_others_aside():
    labels = np.arange(100) % 10
    assert set_aside(labels, 20)[1].tolist() != set_aside(labels, 20, seed=1)[1].tolist()


def test_the_division_never_changes():
    # Golden, 2026-11-21: whoever changes this changes every validation accuracy; raise division.VERSION with it.
    labels = np.arange(1000) * 7919 % 13 % 10
    _, aside = set_aside(labels.astype(np.int64), 100)
    assert aside[:6].tolist() == [4, 9, 12, 18, 19, 23]
    assert hashlib.sha256(aside.astype("<i8").tobytes()).hexdigest()[:16] == "c44d964184398c4a"
