import numpy as np
import pytest
from code_loader.contract.enums import LeapDataType
from code_loader.contract.visualizer_classes import LeapImageMask
from numpy.typing import NDArray

from tasks.segmentation.visualizers import (
    BACKGROUND,
    MOST,
    over_segmented_view,
    predicted_masks,
    true_masks,
    under_segmented_view,
)
from tests.tasks.segmentation.conftest import (
    RULES,
    SIZE,
    STRIDE,
    Arrays,
    area,
    arrays,
    detections,
    objects,
)

IMAGE = np.random.default_rng(0).random((1, *SIZE, 3)).astype(np.float32)
LEFT, RIGHT = area(2, 2, 8, 10), area(8, 2, 14, 10)
BOTH, FAR = LEFT | RIGHT, area(20, 12, 30, 22)


def named(view: LeapImageMask) -> dict[str, NDArray[np.bool_]]:
    """What of the picture has which name; every value has one."""
    assert view.type is LeapDataType.ImageMask
    assert view.mask.dtype == np.uint8
    assert view.mask.shape == SIZE
    assert view.labels[0] == BACKGROUND
    assert view.mask.max() < len(view.labels)
    return {name: view.mask == value for value, name in enumerate(view.labels) if value}


def enlarged(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.kron(mask, np.ones((STRIDE, STRIDE), bool))


def both_views(batch: Arrays) -> tuple[LeapImageMask, LeapImageMask]:
    return over_segmented_view(IMAGE, *batch, RULES), under_segmented_view(IMAGE, *batch, RULES)


def test_each_object_has_its_own_value_and_name() -> None:
    batch = arrays((objects(LEFT, FAR, RIGHT, classes=(0, 1, 0)), detections()))
    found = named(true_masks(IMAGE, batch.ground_truth, batch.masks, RULES))
    assert list(found) == ["Object 1", "Tote 1", "Object 2"]
    np.testing.assert_array_equal(found["Object 1"], enlarged(LEFT))
    np.testing.assert_array_equal(found["Tote 1"], enlarged(FAR))
    np.testing.assert_array_equal(found["Object 2"], enlarged(RIGHT))


def test_each_detection_is_named_with_its_confidence() -> None:
    batch = arrays((objects(), detections(LEFT, FAR, scores=(0.5, 0.871))))
    found = named(predicted_masks(IMAGE, batch.prediction, batch.prototypes, RULES))
    assert list(found) == ["Object 1 (87%)", "Object 2 (50%)"]
    np.testing.assert_array_equal(found["Object 1 (87%)"], enlarged(FAR))


def test_a_crowd_is_named_as_one_and_numbered_by_itself() -> None:
    batch = arrays((objects(LEFT, RIGHT), detections()), crowds=[objects(FAR, area(0, 0, 30, 12))])
    found = named(true_masks(IMAGE, batch.ground_truth, batch.masks, RULES))
    assert list(found) == ["Object 1", "Object 2", "Object (crowd) 1", "Object (crowd) 2"]
    np.testing.assert_array_equal(found["Object (crowd) 1"], enlarged(FAR))
    np.testing.assert_array_equal(found["Object 1"], enlarged(LEFT))
    np.testing.assert_array_equal(found["Object (crowd) 2"], enlarged(area(0, 0, 30, 12) & ~BOTH))


def test_what_lies_in_a_crowd_is_neither_part_nor_whole_and_keeps_the_others_names() -> None:
    # The surest detection lies in a crowd; the second merges the two objects, the others are halves of a third.
    whole, crowd = area(18, 2, 30, 10), area(0, 12, 16, 24)
    upper, lower = area(18, 2, 30, 5), area(18, 5, 30, 10)
    batch = arrays(
        (
            objects(LEFT, RIGHT, whole),
            detections(area(2, 13, 8, 20), BOTH, lower, upper, scores=(0.9, 0.8, 0.7, 0.6)),
        ),
        crowds=[objects(crowd)],
    )
    split, merge = both_views(batch)
    assert list(named(merge)) == ["Object 1 + Object 2 taken for Object 2 (80%)", "Object 1", "Object 2"]
    assert list(named(split))[1:] == ["Object 3 (70%)", "Object 4 (60%)"]
    # Were the crowd around them, nothing would have been split or merged: a third finds no whole, nor a whole a third.
    thirds = [area(2 + 4 * row, 2, 6 + 4 * row, 10) for row in range(3)]
    for truth, found in (((BOTH,), thirds), (thirds, (BOTH,))):
        shown = [
            len(named(view))
            for crowds in ([objects()], [objects(area(0, 0, 32, 12))])
            for view in both_views(arrays((objects(*truth), detections(*found)), crowds=crowds))
        ]
        assert sorted(shown) == [0, 0, 0, 4]
        assert shown[2:] == [0, 0]


def test_a_tote_does_not_hide_what_lies_in_it() -> None:
    tote = area(0, 0, 32, 24)
    for order, classes in (((tote, LEFT), (1, 0)), ((LEFT, tote), (0, 1))):
        batch = arrays((objects(*order, classes=classes), detections(*order, classes=classes, scores=(0.9, 0.9))))
        truth = named(true_masks(IMAGE, batch.ground_truth, batch.masks, RULES))
        np.testing.assert_array_equal(truth["Object 1"], enlarged(LEFT))
        np.testing.assert_array_equal(truth["Tote 1"], enlarged(tote & ~LEFT))
        found = named(predicted_masks(IMAGE, batch.prediction, batch.prototypes, RULES))
        np.testing.assert_array_equal(found["Object 1 (90%)"], enlarged(LEFT))


def test_a_merge_is_shown_with_the_objects_that_it_takes_for_one_and_with_nothing_else() -> None:
    wide = area(2, 2, 15, 10)
    batch = arrays((objects(FAR, LEFT, RIGHT), detections(FAR, wide, scores=(0.9, 0.8))))
    split, merge = both_views(batch)
    found = named(merge)
    assert list(found) == ["Object 2 + Object 3 taken for Object 2 (80%)", "Object 2", "Object 3"]
    np.testing.assert_array_equal(found["Object 2"], enlarged(LEFT))
    np.testing.assert_array_equal(found["Object 3"], enlarged(RIGHT))
    np.testing.assert_array_equal(found["Object 2 + Object 3 taken for Object 2 (80%)"], enlarged(wide & ~BOTH))
    assert named(split) == {}


def test_a_split_is_shown_with_the_detections_that_it_was_taken_for_and_with_nothing_else() -> None:
    upper = area(2, 2, 14, 5)
    lower = area(2, 6, 14, 10)
    batch = arrays((objects(FAR, BOTH), detections(upper, FAR, lower, scores=(0.7, 0.9, 0.8))))
    split, merge = both_views(batch)
    found = named(split)
    whole = "Object 2 taken for Object 2 (80%) + Object 3 (70%)"
    assert list(found) == [whole, "Object 2 (80%)", "Object 3 (70%)"]
    np.testing.assert_array_equal(found["Object 2 (80%)"], enlarged(lower))
    np.testing.assert_array_equal(found["Object 3 (70%)"], enlarged(upper))
    np.testing.assert_array_equal(found[whole], enlarged(area(2, 5, 14, 6)))
    assert named(merge) == {}


def test_an_object_that_two_detections_merge_with_others_is_shown_once() -> None:
    third = area(14, 2, 20, 10)
    batch = arrays((objects(LEFT, RIGHT, third), detections(LEFT | RIGHT, RIGHT | third, scores=(0.9, 0.8))))
    found = named(both_views(batch)[1])
    assert list(found) == [
        "Object 1 + Object 2 taken for Object 1 (90%)",
        "Object 2 + Object 3 taken for Object 2 (80%)",
        "Object 1",
        "Object 2",
        "Object 3",
    ]
    # None of the wholes hides a part.
    np.testing.assert_array_equal(found["Object 2"], enlarged(RIGHT))


@pytest.mark.parametrize("channels_first", [False, True])
def test_with_nothing_to_show_the_image_is_shown(channels_first: bool) -> None:
    image = IMAGE.transpose(0, 3, 1, 2) if channels_first else IMAGE
    batch = arrays((objects(), detections()))
    for view in (
        true_masks(image, batch.ground_truth, batch.masks, RULES),
        predicted_masks(image, batch.prediction, batch.prototypes, RULES),
        over_segmented_view(image, *batch, RULES),
        under_segmented_view(image, *batch, RULES),
    ):
        assert named(view) == {}
        assert not view.mask.any()
        assert view.labels == [BACKGROUND]
        assert view.image.dtype == np.uint8
        np.testing.assert_allclose(view.image / 255, IMAGE[0], atol=1 / 255)


def test_more_masks_than_values_leave_out_the_last() -> None:
    count = MOST + 45
    rows = np.zeros((1, count, 5), np.float32)
    rows[0, :, 1:] = 0.5
    masks = np.zeros((1, count, 24, 32), np.float32)
    masks[0].reshape(count, -1)[np.arange(count), np.arange(count)] = 1
    found = named(true_masks(IMAGE, rows, masks, RULES))
    assert len(found) == MOST
    assert list(found)[-1] == f"Object {MOST}"
    assert all(mask.sum() == STRIDE**2 for mask in found.values())
