import numpy as np
import pytest
from code_loader.contract.enums import LeapDataType
from code_loader.contract.responsedataclasses import BoundingBox

from tasks.detection.visualizers import frame, frame_heatmap, judged_boxes, predicted_boxes, true_boxes
from tests.tasks.detection.on_a_street import CAR, HEIGHT, PEDESTRIAN, RULES, WIDTH, prediction, truth

A, B, C = (10, 10, 40, 22), (50, 10, 90, 22), (10, 40, 20, 58)
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
IMAGE = (PIXELS / np.float32(255))[np.newaxis]


def place(box: BoundingBox) -> tuple[float, ...]:
    """Edges in pixels."""
    edges = (
        (box.x - box.width / 2) * WIDTH,
        (box.y - box.height / 2) * HEIGHT,
        (box.x + box.width / 2) * WIDTH,
        (box.y + box.height / 2) * HEIGHT,
    )
    return tuple(round(edge, 2) for edge in edges)


@pytest.mark.parametrize("image", [IMAGE, IMAGE.transpose(0, 3, 1, 2)], ids=["NHWC", "NCHW"])
def test_the_pixels_are_shown_as_they_are_in_either_layout(image: np.ndarray) -> None:
    for shown in (frame(image), true_boxes(image, truth(), RULES), predicted_boxes(image, prediction(), RULES)):
        assert shown.data.dtype == np.uint8
        np.testing.assert_array_equal(shown.data, PIXELS)


def test_true_boxes_are_where_the_objects_are_and_named_by_their_class() -> None:
    shown = true_boxes(IMAGE, truth((*A, CAR), (*C, PEDESTRIAN)), RULES)
    assert shown.type is LeapDataType.ImageWithBBox
    assert [(place(box), box.label, box.confidence) for box in shown.bounding_boxes] == [
        (A, "car", 1.0),
        (C, "pedestrian", 1.0),
    ]


def test_predicted_boxes_carry_their_confidence() -> None:
    shown = predicted_boxes(IMAGE, prediction((*A, CAR, 0.5), (*B, PEDESTRIAN, 0.75), (*C, CAR, 0.1)), RULES)
    assert [(place(box), box.label, round(box.confidence, 3)) for box in shown.bounding_boxes] == [
        (B, "pedestrian", 0.75),
        (A, "car", 0.5),
    ]


def test_hits_misses_and_false_alarms_are_told_apart() -> None:
    shown = judged_boxes(
        IMAGE,
        truth((*A, CAR), (*B, PEDESTRIAN)),
        prediction((11, 10, 41, 22, CAR, 0.75), (*C, CAR, 0.5)),
        RULES,
    )
    assert [(place(box), box.label) for box in shown.bounding_boxes] == [
        (B, "missed pedestrian"),
        ((11, 10, 41, 22), "found car"),
        (C, "false car"),
    ]


def test_a_crowd_is_shown_by_name_and_what_is_detected_in_it_is_neither_found_nor_false() -> None:
    ground_truth = truth((*A, CAR), crowds=[(45, 0, 100, 30, PEDESTRIAN)])
    shown = true_boxes(IMAGE, ground_truth, RULES)
    crowd = ((45, 0, 100, 30), "pedestrian (crowd)")
    assert [(place(box), box.label) for box in shown.bounding_boxes] == [crowd, (A, "car")]
    shown = judged_boxes(IMAGE, ground_truth, prediction((*B, PEDESTRIAN, 0.75), (*C, PEDESTRIAN, 0.5)), RULES)
    assert [(place(box), box.label) for box in shown.bounding_boxes] == [
        crowd,
        (A, "missed car"),
        (B, "ignored pedestrian"),
        (C, "false pedestrian"),
    ]


def test_with_nothing_to_show_the_image_is_shown_alone() -> None:
    for shown in (
        true_boxes(IMAGE, truth(), RULES),
        predicted_boxes(IMAGE, prediction(), RULES),
        judged_boxes(IMAGE, truth(), prediction(), RULES),
    ):
        assert shown.bounding_boxes == []


def test_boxes_stay_within_the_image() -> None:
    shown = predicted_boxes(IMAGE, prediction((-20, -10, 130, 80, CAR, 0.9)), RULES)
    assert place(shown.bounding_boxes[0]) == (0, 0, WIDTH, HEIGHT)


def test_half_precision_is_shown_too() -> None:
    shown = judged_boxes(
        IMAGE.astype(np.float16),
        truth((*A, CAR)).astype(np.float16),
        prediction((*A, CAR, 0.9)).astype(np.float16),
        RULES,
    )
    assert [box.label for box in shown.bounding_boxes] == ["found car"]


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_heatmap_has_one_value_a_pixel_the_mean_over_the_channels(batch: bool, layout: str) -> None:
    values = np.random.default_rng(1).normal(size=(1, HEIGHT, WIDTH, 3)).astype(np.float32)
    given = values if layout == "NHWC" else values.transpose(0, 3, 1, 2)
    heatmap = frame_heatmap(given if batch else given[0])
    assert heatmap.shape == (HEIGHT, WIDTH)
    np.testing.assert_allclose(heatmap, values[0].mean(axis=-1), atol=1e-6)


def test_a_heatmap_of_three_rows_or_columns_keeps_its_layout() -> None:
    values = np.random.default_rng(1).normal(size=(3, 5, 3)).astype(np.float32)  # its last side are the channels
    np.testing.assert_allclose(frame_heatmap(values), values.mean(axis=-1), atol=1e-6)
    narrow = np.random.default_rng(2).normal(size=(5, 3, 3)).astype(np.float32)
    np.testing.assert_allclose(frame_heatmap(narrow), narrow.mean(axis=-1), atol=1e-6)
    four = np.random.default_rng(3).normal(size=(3, 5, 4)).astype(np.float32)
    np.testing.assert_allclose(frame_heatmap(four), four.mean(axis=0), atol=1e-6)
