import numpy as np
import pytest

from tasks.segmentation.decode import assembled, decode_instances
from tests.tasks.segmentation.conftest import COLUMNS, LABELS, ROWS, RULES, SIZE, area, arrays, detections, objects

WHOLE = np.array([[0.0, 0, SIZE[1], SIZE[0]]])


@pytest.mark.parametrize("threshold", [0.5, 0.2, 0.9])
def test_a_mask_is_the_sigmoid_of_what_the_prototypes_sum_to(threshold: float) -> None:
    rng = np.random.default_rng(0)
    coefficients, prototypes = rng.normal(size=(6, 32)), rng.normal(size=(32, ROWS, COLUMNS))
    found = assembled(coefficients, prototypes, np.repeat(WHOLE, 6, axis=0), *SIZE, threshold=threshold)
    for mask, row in zip(found, coefficients, strict=True):
        summed = sum(weight * prototype for weight, prototype in zip(row, prototypes, strict=True))
        probability = 1 / (1 + np.exp(-summed))
        is_clear = np.abs(probability - threshold) > 1e-5
        np.testing.assert_array_equal(mask[is_clear], (probability > threshold)[is_clear])
        assert 0 < mask.mean() < 1


def test_just_the_threshold_is_outside() -> None:
    assert not assembled(np.zeros((1, 4)), np.ones((4, ROWS, COLUMNS)), WHOLE, *SIZE).any()


def test_a_mask_ends_at_its_box() -> None:
    # Pixels of 4 x 4; those whose middle lies in the box stay.
    boxes = np.array([[8.0, 12, 40, 24], [9.9, 13.9, 42.1, 26.1], [10.1, 14.1, 41.9, 25.9], [50, 50, 50, 60]])
    found = assembled(np.ones((4, 1)), np.ones((1, ROWS, COLUMNS)), boxes, *SIZE)
    np.testing.assert_array_equal(found[0], area(2, 3, 10, 6))
    np.testing.assert_array_equal(found[1], area(2, 3, 11, 7))
    np.testing.assert_array_equal(found[2], area(3, 4, 10, 6))
    assert not found[3].any()


def test_each_detection_has_the_coefficients_of_its_own_row() -> None:
    masks = (area(2, 2, 8, 10), area(12, 4, 20, 18), area(22, 2, 30, 20))
    given = detections(*masks, classes=(0, 1, 0), scores=(0.4, 0.9, 0.6))
    batch = arrays((objects(), detections()), (objects(), given))
    nothing, found = decode_instances(batch.prediction, batch.prototypes, len(LABELS), RULES.decoding, *SIZE)
    assert len(nothing) == 0
    assert nothing.masks.shape == (0, ROWS, COLUMNS)
    assert found.classes.tolist() == [1, 0, 0]
    assert found.scores.tolist() == pytest.approx([0.9, 0.6, 0.4])
    np.testing.assert_array_equal(found.masks, given.masks[[1, 2, 0]])
    np.testing.assert_allclose(found.edges, given.edges[[1, 2, 0]])


def test_half_precision_gives_the_same_masks() -> None:
    given = detections(area(2, 2, 8, 10), area(12, 4, 20, 18))
    batch = arrays((objects(), given))
    (found,) = decode_instances(
        batch.prediction.astype(np.float16), batch.prototypes.astype(np.float16), len(LABELS), RULES.decoding, *SIZE
    )
    np.testing.assert_array_equal(found.masks, given.masks)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_makes_an_empty_mask_of_its_own_and_disturbs_no_other(value: float) -> None:
    coefficients, prototypes = np.eye(2), np.ones((2, ROWS, COLUMNS))
    coefficients[0, 0] = value
    for threshold in (0.1, 0.5, 0.9):
        found = assembled(4 * coefficients, prototypes, np.repeat(WHOLE, 2, axis=0), *SIZE, threshold=threshold)
        assert not found[0].any()
        assert found[1].all()


@pytest.mark.filterwarnings("error")
def test_a_prototype_that_is_not_a_number_is_outside() -> None:
    prototypes = np.ones((2, ROWS, COLUMNS))
    prototypes[0, 3, 5] = np.nan
    (mask,) = assembled(np.ones((1, 2)), prototypes, WHOLE, *SIZE)
    assert not mask[3, 5]
    assert mask.sum() == mask.size - 1


def test_a_pixel_whose_middle_lies_on_the_boxs_left_or_upper_edge_is_inside_and_on_the_others_outside() -> None:
    edges = np.array([[2.0, 6.0, 10.0, 14.0]])  # pixels are 4 wide: their middles are 2, 6, 10, 14
    (mask,) = assembled(np.ones((1, 1)), np.ones((1, ROWS, COLUMNS)), edges, *SIZE)
    assert np.flatnonzero(mask.any(axis=0)).tolist() == [0, 1]
    assert np.flatnonzero(mask.any(axis=1)).tolist() == [1, 2]
