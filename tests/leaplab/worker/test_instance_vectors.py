"""Vectors of element instances, against plain loops over cells."""

from typing import Any

import numpy as np
import pytest

from leaplab.worker.instance_vectors import instance_vector, maps_of
from leaplab.worker.model import Feature

GENERATOR = np.random.default_rng(5)
MAPS = [GENERATOR.normal(size=(4, 8, 8)).astype(np.float32), GENERATOR.normal(size=(3, 4, 4)).astype(np.float32)]


def by_hand(mask, maps) -> list[float]:
    """Each cell counts by the pixels of it that the mask covers; the mask's sides are multiples of the maps'."""
    vector: list[float] = []
    for each in maps:
        tall, wide = mask.shape[0] // each.shape[1], mask.shape[1] // each.shape[2]
        weights = np.array(
            [
                [mask[y * tall : (y + 1) * tall, x * wide : (x + 1) * wide].sum() for x in range(each.shape[2])]
                for y in range(each.shape[1])
            ],
            np.float64,
        )
        vector += [(each[channel] * weights).sum() / weights.sum() for channel in range(len(each))]
    return vector


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_inside_the_mask_of_each_map(seed):
    mask = np.random.default_rng(seed).random((32, 48)) < 0.1
    mask[:, :20] = False

    assert instance_vector(mask.astype(np.float32), MAPS) == pytest.approx(by_hand(mask, MAPS), rel=1e-4, abs=1e-5)


def test_a_mask_with_channels_is_that_of_any():
    mask = np.zeros((32, 32, 3), np.float32)
    mask[3:9, 4:30, 1] = 1
    alone = mask.any(axis=-1)

    wanted = pytest.approx(by_hand(alone, MAPS), rel=1e-4, abs=1e-5)
    assert instance_vector(mask, MAPS) == wanted
    assert instance_vector(mask.transpose(2, 0, 1), MAPS) == wanted


def test_an_empty_mask_has_no_vector():
    assert instance_vector(np.zeros((32, 32)), MAPS) is None


def test_a_mask_of_everything_gives_the_pooled_vector():
    wanted = np.concatenate([each.mean(axis=(1, 2)) for each in MAPS])

    assert instance_vector(np.ones((30, 50)), MAPS) == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_a_pixel_finer_than_a_cell_gives_that_cell():
    mask = np.zeros((64, 64))
    mask[17, 42] = 1

    assert instance_vector(mask, MAPS) == pytest.approx(np.concatenate([MAPS[0][:, 2, 5], MAPS[1][:, 1, 2]]))


def test_maps_have_their_channels_first_and_vectors_are_none():
    last = GENERATOR.normal(size=(2, 5, 6, 7)).astype(np.float32)
    found: Any = maps_of([Feature("x", last, -1)], 1)

    np.testing.assert_array_equal(found[0], last[1].transpose(2, 0, 1))
    assert maps_of([Feature("x", last, -1), Feature("y", np.ones((2, 9), np.float32), -1)], 0) is None
    assert maps_of([], 0) is None
