"""Where the ground truth lies on the cells of a heat-map."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.population.heatmap_truth import covered
from leaplab.protocol.explaining import truth_visualizer
from leaplab.protocol.inspection import Visual
from tests.leaplab.explain.known import Known, node


def boxes(height: int, width: int, *given: Any) -> Visual:
    """Boxes of (x, y, width, height, degrees)."""
    names = ("x", "y", "width", "height", "rotation")
    listed = [{**dict(zip(names, each, strict=True)), "label": "car", "confidence": 1.0} for each in given]
    return Visual("objects", "ImageWithBBox", {"data": np.zeros((height, width, 3)), "bounding_boxes": listed})


def mask(values: Any, labels: Any) -> Visual:
    return Visual("masks", "ImageMask", {"mask": np.asarray(values), "labels": labels})


def test_a_box_covers_its_share_of_each_cell() -> None:
    # From column 2 to 6 of 8 and from row 1 to 3 of 4, on cells of 3 x 2 pixels.
    found = covered(boxes(4, 9, (4 / 9, 0.5, 4 / 9, 0.5, 0.0)), (2, 3))
    np.testing.assert_allclose(found, np.array([[1 / 3, 1, 0], [1 / 3, 1, 0]]) / 2, atol=2e-3)


def test_boxes_that_overlap_count_once_and_end_at_the_edge() -> None:
    found = covered(boxes(10, 10, (0.0, 0.0, 1.0, 1.0, 0.0), (0.1, 0.1, 0.8, 0.8, None)), (1, 1))
    np.testing.assert_allclose(found, [[0.25]], atol=2e-3)


@pytest.mark.parametrize("degrees", [30.0, 90.0, 200.0])
def test_a_turned_box_is_what_opencv_fills(degrees: float) -> None:
    side = 400
    found = covered(boxes(side, side, (0.55, 0.45, 0.5, 0.2, degrees)), (8, 8))
    corners = cv2.boxPoints(((0.55 * side, 0.45 * side), (0.5 * side, 0.2 * side), degrees))
    filled = cv2.fillPoly(np.zeros((side, side)), [np.round(corners - 0.5).astype(np.int32)], 1.0)
    np.testing.assert_allclose(found, cv2.resize(filled, (8, 8), interpolation=cv2.INTER_AREA), atol=0.05)


@pytest.mark.parametrize("grid", [(3, 5), (8, 8), (30, 40), (12, 10)])
def test_a_mask_is_averaged_as_opencv_averages_it(grid: tuple[int, int]) -> None:
    values = np.random.default_rng(1).integers(0, 4, (30, 40)).astype(np.uint8)
    found = covered(mask(values, ["Background", "car", " none ", "bus"]), grid)
    wanted = cv2.resize(np.isin(values, (1, 3)).astype(float), grid[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_finer_cells_than_pixels_take_the_pixel_that_they_lie_in() -> None:
    values = np.array([[0, 1], [1, 0]], np.uint8)
    found = covered(mask(values, ["background", "car"]), (4, 4))
    np.testing.assert_allclose(found, np.kron(values, np.ones((2, 2))), atol=1e-12)


def test_values_without_a_label_mark_something() -> None:
    assert covered(mask(np.full((2, 2), 7, np.uint8), ["background"]), (1, 1)) == 1


def test_no_box_covers_nothing() -> None:
    assert not covered(boxes(6, 6), (2, 2)).any()


def test_a_visualizer_that_failed_is_told() -> None:
    with pytest.raises(LeaplabError, match="it broke"):
        covered(Visual("objects", "ImageWithBBox", error="it broke"), (2, 2))


def test_masks_of_the_truth_come_before_boxes_and_predictions_are_none() -> None:
    def visualizer(name: str, type_: str, **arguments: str) -> Any:
        return replace(node(name, **arguments), type=type_)

    given = [
        visualizer("seen", "ImageWithBBox", image="input image"),
        visualizer("judged", "ImageMask", image="input image", truth="truth boxes", guess="output 0"),
        visualizer("boxes", "ImageWithBBox", image="input image", truth="truth boxes"),
        visualizer("plain", "Image", truth="truth boxes"),
        visualizer("masks", "ImageMask", image="input image", truth="truth boxes"),
        visualizer("more masks", "ImageMask", truth="truth boxes"),
    ]
    known = Known("model.onnx", {"image": np.zeros((1, 2, 2, 1))}).description
    for count, wanted in ((2, None), (4, "boxes"), (6, "masks")):
        found = truth_visualizer(replace(known, visualizers=tuple(given[:count])))
        assert (found and found.column) == wanted
