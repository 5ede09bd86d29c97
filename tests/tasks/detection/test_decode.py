from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.average_precision import COCO_THRESHOLDS, average_precisions
from tasks.detection.decode import Decoded, Decoding, decode
from tasks.detection.detections import Detections
from tests.tasks.detection.conftest import Image, coco_evaluation
from vision.boxes import Boxes

HEIGHT, WIDTH = 64, 96
ALL = Decoding(least_score=0.25, suppression_iou=0.5, most=100)


def rows(*values: tuple[float, ...]) -> NDArray[np.float32]:
    """[1, N, 8] of (x, y, width, height, objectness, three classes)."""
    return np.array([values], np.float32)


def only(prediction: NDArray[np.floating], decoding: Decoding = ALL) -> Decoded:
    (decoded,) = decode(prediction, 3, decoding, HEIGHT, WIDTH)
    return decoded


def test_a_row_is_the_box_class_and_confidence_that_it_names() -> None:
    found = only(rows((48, 20, 40, 10, 0.8, 0.1, 0.2, 0.9)))
    np.testing.assert_allclose(found.detections.edges, [[28, 15, 68, 25]])
    assert found.detections.classes.tolist() == [2]
    np.testing.assert_allclose(found.detections.scores, [0.72], rtol=1e-6)
    assert found.rows.tolist() == [0]


def test_a_row_below_the_least_confidence_says_nothing_though_its_objectness_is_above_it() -> None:
    prediction = rows((48, 20, 40, 10, 0.5, 0.49, 0.1, 0.1), (48, 50, 40, 10, 0.5, 0.5, 0.1, 0.1))
    assert only(prediction).rows.tolist() == [1]


def test_detections_come_most_confident_first_with_the_rows_that_they_are_of() -> None:
    apart = [(10 + 30 * n, 20, 20, 10, confidence, 1, 0, 0) for n, confidence in enumerate((0.4, 0.9, 0.6))]
    found = only(rows(*apart))
    assert found.rows.tolist() == [1, 2, 0]
    assert found.detections.scores.tolist() == sorted(found.detections.scores.tolist(), reverse=True)
    assert only(rows(*apart), Decoding(0.25, 0.5, 2)).rows.tolist() == [1, 2]


def test_duplicates_go_and_the_same_box_of_another_class_stays() -> None:
    found = only(rows((48, 20, 40, 10, 0.9, 1, 0, 0), (49, 20, 40, 10, 0.8, 1, 0, 0), (48, 20, 40, 10, 0.7, 0, 1, 0)))
    assert found.rows.tolist() == [0, 2]


def test_boxes_end_at_the_border_of_the_input_and_one_outside_of_it_is_none() -> None:
    found = only(rows((90, 60, 40, 20, 0.9, 1, 0, 0), (200, 20, 40, 10, 0.9, 1, 0, 0)))
    np.testing.assert_allclose(found.detections.edges, [[70, 50, 96, 64]])


@pytest.mark.parametrize("column", range(8))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_that_holds_no_number_says_nothing(column: int, value: float) -> None:
    prediction = rows((48, 20, 40, 10, 0.9, 1, 0, 0), (48, 50, 40, 10, 0.9, 0, 1, 0))
    prediction[0, 0, column] = value
    assert only(prediction).rows.tolist() == [1]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(
    "bad",
    [{0: np.inf, 2: np.inf}, {1: -np.inf, 3: np.inf}, {4: np.inf, 5: 0.0, 6: 0.0}, dict.fromkeys(range(8), np.inf)],
)
def test_a_row_with_several_such_values_says_nothing_either(bad: dict[int, float], dtype: type[np.floating]) -> None:
    prediction = rows((48, 20, 40, 10, 0.9, 1, 0, 0), (48, 50, 40, 10, 0.9, 0, 1, 0)).astype(dtype)
    for column, value in bad.items():
        prediction[0, 0, column] = value
    assert only(prediction).rows.tolist() == [1]


def test_a_huge_box_is_the_whole_input() -> None:
    found = only(rows((48, 20, 3e38, 3e38, 0.9, 1, 0, 0)))
    np.testing.assert_array_equal(found.detections.edges, [[0, 0, WIDTH, HEIGHT]])


def test_fewer_columns_than_the_classes_need_are_refused() -> None:
    with pytest.raises(ValueError, match="gives 7 columns"):
        only(rows((48, 20, 40, 10, 0.9, 1, 0, 0))[..., :7])


@pytest.mark.parametrize("size", [(-40, 10), (40, -10), (0, 10), (40, 0), (-40, -10)])
def test_a_box_without_an_area_says_nothing(size: tuple[float, float]) -> None:
    assert len(only(rows((48, 20, *size, 0.9, 1, 0, 0))).rows) == 0


def test_an_output_that_says_nothing_decodes_to_nothing() -> None:
    found = only(rows((48, 20, 40, 10, 0.1, 1, 0, 0)))
    assert len(found.detections) == 0
    assert found.detections.edges.shape == (0, 4)


def test_half_precision_moves_no_box_by_more_than_it_must() -> None:
    prediction = rows((48.3, 20.7, 40.2, 10.9, 0.9, 1, 0, 0))
    exact, halved = only(prediction), only(prediction.astype(np.float16))
    np.testing.assert_allclose(halved.detections.edges, exact.detections.edges, atol=0.05)
    assert halved.detections.edges.dtype == np.float64


def test_columns_beyond_the_classes_are_left_alone() -> None:
    prediction = rows((48, 20, 40, 10, 0.9, 1, 0, 0))
    with_masks = np.concatenate([prediction, np.full((1, 1, 32), 7, np.float32)], axis=-1)
    assert only(with_masks).detections.classes.tolist() == [0]


def test_an_official_export_decodes_in_its_own_size() -> None:
    prediction = np.zeros((1, 25200, 85), np.float32)
    prediction[0, 25199] = 0.01
    prediction[0, 25199, [0, 1, 2, 3, 4, 5 + 79]] = (600, 400, 60, 30, 0.9, 0.8)
    (found,) = decode(prediction, 80, ALL, 640, 640)
    assert found.rows.tolist() == [25199]
    assert found.detections.classes.tolist() == [79]
    np.testing.assert_allclose(found.detections.edges, [[570, 385, 630, 415]])


def test_random_crowds_decode_to_what_they_were_made_of(crowded: Callable[[int], list[Image]]) -> None:
    for _, detections in crowded(3):
        count = len(detections)
        prediction = np.zeros((1, count, 8), np.float32)
        inside = Boxes(detections.edges).clipped(WIDTH, HEIGHT)
        prediction[0, :, :4] = inside.centre_and_size()
        prediction[0, :, 4] = detections.scores
        prediction[0, np.arange(count), 5 + detections.classes] = 1
        found = only(prediction, Decoding(0.0, 1.0, 1000))
        there = np.flatnonzero((inside.sizes > 1e-3).all(axis=1))
        assert sorted(found.rows) == there.tolist()
        np.testing.assert_allclose(found.detections.edges, inside.edges[found.rows], atol=1e-3)
        np.testing.assert_array_equal(found.detections.classes, detections.classes[found.rows])


def of(detections: Detections) -> NDArray[np.float32]:
    """[1, N, 8], a row a detection in its order."""
    output = np.zeros((1, len(detections), 8), np.float32)
    output[0, :, :4] = Boxes(detections.edges).centre_and_size()
    output[0, :, 4] = detections.scores
    output[0, np.arange(len(detections)), 5 + detections.classes] = 1
    return output


@pytest.mark.parametrize("seed", range(3))
def test_the_average_precision_of_outputs_is_that_of_pycocotools(
    seed: int, crowded: Callable[[int], list[Image]]
) -> None:
    # An input beyond all boxes, but for the left and upper ones, which are cut off beforehand.
    images = [
        (there, Detections(np.maximum(said.edges, 0), said.classes, said.scores)) for there, said in crowded(seed)
    ]
    decoded = [decode(of(said), 3, Decoding(0.001, 1.0, 100), 140, 160)[0].detections for _, said in images]
    found = average_precisions([(there, said) for (there, _), said in zip(images, decoded, strict=True)], 3)
    expected = coco_evaluation(images, 3, COCO_THRESHOLDS).eval["precision"][:, :, :, 0, -1].mean(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert 0.05 < found.mean() < 0.95


def test_a_batch_decodes_to_what_its_images_do_one_by_one(crowded: Callable[[int], list[Image]]) -> None:
    outputs = [of(said)[:, :4] for _, said in crowded(4) if len(said) >= 4]
    together = decode(np.concatenate(outputs), 3, ALL, HEIGHT, WIDTH)
    assert sum(len(image.rows) for image in together) > 20
    for image, output in zip(together, outputs, strict=True):
        alone = only(output)
        np.testing.assert_array_equal(image.rows, alone.rows)
        np.testing.assert_array_equal(image.detections.edges, alone.detections.edges)


def test_a_row_of_exactly_the_least_confidence_is_a_detection() -> None:
    assert only(rows((48, 20, 40, 10, 0.25, 1, 0, 0))).rows.tolist() == [0]
