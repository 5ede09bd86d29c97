"""Blocks, grids that cover the same, and maps of them; what is smoothed, and means."""

from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.worker.explaining.regions import Block, blocks, laid_out, on_grid
from leaplab.worker.explaining.sample import Mean, blurred


@pytest.mark.parametrize(("height", "width", "side"), [(4, 4, 1), (7, 5, 3), (8, 9, 2), (3, 2, 5), (1, 11, 4)])
def test_blocks_cover_every_cell_and_none_leaves_the_grid(height: int, width: int, side: int) -> None:
    covered = np.zeros((height, width), int)
    for block in blocks(height, width, (side, side)):
        assert 0 <= block.top < block.bottom <= height
        assert 0 <= block.left < block.right <= width
        assert (block.bottom - block.top, block.right - block.left) == (min(side, height), min(side, width))
        covered[block.top : block.bottom, block.left : block.right] += 1
    assert covered.min() >= 1
    assert covered.max() == 1 or side > 1


def test_blocks_of_three_go_by_two() -> None:
    assert [block.left for block in blocks(3, 8, (3, 3))] == [0, 2, 4, 5]


def test_a_cell_of_a_fine_grid_has_the_coarse_one_over_it_and_a_block_those_with_their_centre_in_it() -> None:
    assert on_grid(Block(3, 4, 4, 5), (8, 8), (4, 4)) == Block(1, 2, 2, 3)
    assert on_grid(Block(7, 8, 0, 1), (8, 8), (3, 3)) == Block(2, 3, 0, 1)
    assert on_grid(Block(0, 4, 0, 2), (8, 8), (4, 4)) == Block(0, 2, 0, 1)
    assert on_grid(Block(2, 3, 1, 2), (4, 4), (8, 8)) == Block(4, 6, 2, 4)


def test_every_coarse_cell_is_under_some_fine_one() -> None:
    for fine, coarse in ((32, 8), (20, 7), (5, 5), (9, 4)):
        seen = {
            row
            for block in blocks(fine, fine, (1, 1))
            for row in range(*on_grid(block, (fine, fine), (coarse, coarse))[:2])
        }
        assert seen == set(range(coarse))


def test_a_cell_has_the_mean_of_the_blocks_that_it_lies_in() -> None:
    taken = [Block(0, 1, 0, 2), Block(0, 1, 1, 3), Block(0, 1, 2, 4)]
    values = np.array([[1.0], [3.0], [np.nan]])
    np.testing.assert_array_equal(laid_out(taken, values, 1, 4), [[[1, 2, 3, np.nan]]])


def test_a_mean_over_batches_is_that_of_all() -> None:
    array: Any = np.random.default_rng(0).normal(size=(7, 3, 4, 5)).astype(np.float32)
    mean = Mean((1, 2))
    for start in (0, 2, 6):
        mean.add(array[start : start + 4 if start == 2 else start + (2 if start == 0 else 1)])
    np.testing.assert_allclose(mean.value, array.mean(axis=(0, 2, 3))[:, None, None], rtol=1e-5)
    with pytest.raises(LeaplabError, match="another baseline"):
        _ = Mean((0,)).value


def test_what_is_smoothed_keeps_what_is_even_and_moves_no_mean_far() -> None:
    assert np.allclose(blurred(np.full((3, 9, 8), 2.5, np.float32), (1, 2)), 2.5)
    spike = np.zeros((16, 16), np.float32)
    spike[8, 8] = 1
    smooth = blurred(spike, (0, 1))
    # Two boxes of five: a pyramid of nine, of which the middle has a fifth along each side.
    assert smooth[8, 8] == pytest.approx(1 / 25)
    assert smooth[8, 12] == pytest.approx(1 / 5 * 1 / 25)
    assert smooth[8, 13] == 0
