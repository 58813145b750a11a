"""Subsets, batches and augmentation."""

import numpy as np
import pytest

from dse.training.augment import AUGMENTATIONS, augmented, mirrored, shifted
from dse.training.sampling import balanced_subset, batch_count, batches
from searchspaces.recipe import Augmentation


def test_subset_is_balanced_and_drawn_from_all() -> None:
    labels = np.repeat(np.arange(4), [50, 100, 30, 70])
    chosen = balanced_subset(labels, 82, np.random.default_rng(0))
    counts = np.bincount(labels[chosen])
    assert len(set(chosen.tolist())) == 82
    assert counts.max() - counts.min() <= 1
    assert chosen.max() > 200


def test_a_class_that_runs_out_is_made_up_for() -> None:
    labels = np.repeat(np.arange(3), [2, 50, 50])
    assert np.bincount(labels[balanced_subset(labels, 32, np.random.default_rng(1))]).tolist() == [2, 15, 15]


@pytest.mark.parametrize("samples", [None, 250, 999])
def test_all_samples(samples: int | None) -> None:
    labels = np.zeros(250, np.int64)
    assert balanced_subset(labels, samples, np.random.default_rng(0)).tolist() == list(range(250))


def test_subset_depends_on_the_seed_alone() -> None:
    labels = np.arange(100) % 10
    draws = [balanced_subset(labels, 40, np.random.default_rng(seed)).tolist() for seed in (3, 3, 4)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(("samples", "size"), [(10, 3), (9, 3), (2, 5), (5, 5)])
def test_batches_visit_samples_once_an_epoch(samples: int, size: int) -> None:
    found = list(batches(samples, size, 4, np.random.default_rng(0)))
    assert len(found) == batch_count(samples, size, 4)
    per_epoch = len(found) // 4
    for epoch in range(4):
        seen = np.concatenate(found[epoch * per_epoch : (epoch + 1) * per_epoch])
        assert len(set(seen.tolist())) == len(seen) == min(samples, size) * per_epoch
    assert {len(batch) for batch in found} == {min(samples, size)}


def test_shift_moves_whole_images_and_brings_in_zeros() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (64, 3, 6, 7)).astype(np.uint8)
    moved = shifted(images, 2, np.random.default_rng(1))
    seen = set()
    for before, after in zip(images, moved, strict=True):
        candidates = {}
        for down in range(-2, 3):
            for right in range(-2, 3):
                canvas = np.zeros_like(before)
                for y in range(6):
                    for x in range(7):
                        if 0 <= y - down < 6 and 0 <= x - right < 7:
                            canvas[:, y, x] = before[:, y - down, x - right]
                candidates[down, right] = canvas
        places = [place for place, canvas in candidates.items() if np.array_equal(canvas, after)]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) > 15


def test_mirror_flips_about_half() -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 1, 3, 4)).astype(np.uint8)
    flipped = mirrored(images, np.random.default_rng(1))
    mirrors = (flipped == images[..., ::-1]).all((1, 2, 3))
    same = (flipped == images).all((1, 2, 3))
    assert (mirrors | same).all()
    assert 70 < mirrors.sum() < 130


def test_augmentations_by_name() -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 1, 9, 9)).astype(np.uint8)
    rng = np.random.default_rng(0)
    for how in AUGMENTATIONS:
        changed = augmented(images, how, rng)
        assert changed.dtype == np.uint8
        assert changed.shape == images.shape
        assert changed.flags["C_CONTIGUOUS"]
        assert np.array_equal(changed, images) == (how == "none")


@pytest.mark.parametrize(
    ("how", "largest", "mirrors"),
    [
        ("none", 0, False),
        ("flip", 0, True),
        ("shift", 2, False),
        ("small-shift-flip", 2, True),
        ("shift-flip", 4, True),
    ],
)
def test_how_far_each_moves_and_whether_it_mirrors(how: Augmentation, largest: int, mirrors: bool) -> None:
    images = np.zeros((200, 1, 11, 11), np.uint8)
    images[:, 0, 5, 5], images[:, 0, 5, 6] = 1, 2  # the middle, and its neighbour to the right
    changed = augmented(images, how, np.random.default_rng(0))
    _, _, rows, columns = np.nonzero(changed == 1)
    assert {*rows} == {*columns} == set(range(5 - largest, 5 + largest + 1))
    neighbours = np.nonzero(changed == 2)[3]
    assert {*(neighbours - columns)} == ({1, -1} if mirrors else {1})
