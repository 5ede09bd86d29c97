import numpy as np
import pytest
from numpy.typing import NDArray

from armbench_segmentation import metadata
from armbench_segmentation.config import ArmbenchConfig
from armbench_segmentation.data.coco import Instances
from armbench_segmentation.simulation import TOTE, draw_tote
from tests.armbench_segmentation.conftest import instances, rectangle
from vision.statistics import IMAGE_STATISTICS

LABELS = ("Object", "Tote")
HUES = {"yellow": 48.0, "blue": 218.0}


@pytest.fixture
def tote() -> tuple[NDArray[np.uint8], Instances]:
    """A blue tote of 10 x 8 pixels in black, a white object of 4 x 2 in it, and a grey one of 2 x 2."""
    pixels = np.zeros((9, 12, 3), np.uint8)
    pixels[0:8, 1:11] = (38, 84, 168)
    pixels[2:4, 3:7] = 255
    pixels[5:7, 8:10] = 51
    objects = rectangle(3, 2, 7, 4), rectangle(8, 5, 10, 7)
    outside = rectangle(1, 0, 11, 8) & ~objects[0] & ~objects[1]
    return pixels, instances([(1, outside), (0, objects[0]), (0, objects[1])])


def test_instances_are_counted_by_label_and_beyond_the_rows_of_the_ground_truth() -> None:
    cell = [rectangle(column, 0, column + 1, 1) for column in range(7)]
    found = instances([(0, mask) for mask in cell[:4]] + [(1, cell[4]), (0, cell[5])], crowd=[False] * 5 + [True])
    expected = {"instances": 5, "object": 4, "tote": 1, "crowds": 1, "beyond": 0, "unusable": 7}
    assert metadata.counts(found, 7, LABELS, 6) == expected
    assert metadata.counts(found, 7, LABELS, 5) == {**expected, "beyond": 1}  # the crowd
    assert metadata.counts(found, 7, LABELS, 3) == {**expected, "beyond": 3}
    assert metadata.counts(instances([]), 0, LABELS, 3) == dict.fromkeys(expected, 0)
    assert metadata.counts(None, None, LABELS, 3) == dict.fromkeys(expected)


def test_a_label_of_two_words_is_one_key() -> None:
    names = {"instances", "traffic_light", "crowds", "beyond", "unusable"}
    assert set(metadata.counts(None, None, ["Traffic light"], 3)) == names


def test_size_shape_and_brightness_are_those_of_the_objects(tote: tuple[NDArray[np.uint8], Instances]) -> None:
    values = metadata.classes(*tote, LABELS)
    areas = np.array([8, 4]) / 108
    assert values["object_area_mean"] == pytest.approx(areas.mean())
    assert values["object_area_std"] == pytest.approx(areas.std())
    assert values["object_box_area_mean"] == pytest.approx(areas.mean())
    assert values["object_aspect_ratio_mean"] == pytest.approx((4 / 2 + 1) / 2)
    assert values["object_aspect_ratio_std"] == pytest.approx(0.5)
    assert values["tote_area_mean"] == pytest.approx((80 - 12) / 108)
    assert values["tote_box_area_mean"] == pytest.approx(80 / 108)
    assert values["tote_aspect_ratio_mean"] == pytest.approx(10 / 8)
    assert values["tote_area_std"] == 0
    assert set(values) == {f"{label}_{value}" for label in ("object", "tote") for value in metadata.CLASS_VALUES}
    assert all(type(value) is float for value in values.values())


def test_intensity_is_of_the_inside_of_the_masks(tote: tuple[NDArray[np.uint8], Instances]) -> None:
    values = metadata.classes(*tote, LABELS)
    inside = np.array([1.0] * 8 + [0.2] * 4)
    assert values["object_intensity_mean"] == pytest.approx(inside.mean())
    assert values["object_intensity_std"] == pytest.approx(inside.std())
    assert values["tote_intensity_mean"] == pytest.approx((0.299 * 38 + 0.587 * 84 + 0.114 * 168) / 255)
    assert values["tote_intensity_std"] == pytest.approx(0, abs=1e-9)


def test_a_pixel_of_two_objects_counts_once_for_their_intensity() -> None:
    pixels = np.zeros((9, 12, 3), np.uint8)
    pixels[:, :4] = 255
    found = instances([(0, rectangle(0, 0, 4, 9)), (0, rectangle(0, 0, 4, 9)), (0, rectangle(4, 0, 8, 9))])
    assert metadata.classes(pixels, found, LABELS)["object_intensity_mean"] == pytest.approx(0.5)


def test_what_does_not_occur_has_no_values(tote: tuple[NDArray[np.uint8], Instances]) -> None:
    pixels, found = tote
    only_tote = metadata.classes(pixels, found.chosen(found.classes == 1), LABELS)
    assert {only_tote[f"object_{value}"] for value in metadata.CLASS_VALUES} == {None}
    assert only_tote["tote_area_mean"] is not None
    for nothing in (None, instances([])):
        assert set(metadata.classes(pixels, nothing, LABELS).values()) == {None}


def test_background_is_what_nothing_covers(tote: tuple[NDArray[np.uint8], Instances]) -> None:
    assert metadata.background(tote[1]) == pytest.approx(28 / 108)
    assert metadata.background(instances([])) == 1
    assert metadata.background(instances([(0, rectangle(0, 0, 12, 9))], crowd=[True])) == 0
    assert metadata.background(None) is None


def test_the_colour_of_a_tote_is_that_of_what_the_objects_leave_of_it() -> None:
    pixels = np.full((9, 12, 3), (232, 194, 40), np.uint8)
    pixels[1:8, 1:11] = (38, 84, 168)  # the objects
    whole, full = rectangle(0, 0, 12, 9), rectangle(1, 1, 11, 8)
    for tote in (whole, whole & ~full):  # with the objects, as some draw it, or without
        found = instances([(1, tote), (0, full)])
        assert metadata.tote_colour(pixels, found, 1, HUES, 0.05) == "yellow"
        assert metadata.tote_colour(255 - pixels, found, 1, HUES, 0.05) == "blue"
    grey = np.full((9, 12, 3), 90, np.uint8)
    assert metadata.tote_colour(grey, instances([(1, whole)]), 1, HUES, 0.05) == "grey"


def test_without_a_tote_there_is_no_colour() -> None:
    pixels = np.full((9, 12, 3), (232, 194, 40), np.uint8)
    whole = rectangle(0, 0, 12, 9)
    assert metadata.tote_colour(pixels, instances([(0, whole)]), 1, HUES, 0.05) is None
    assert metadata.tote_colour(pixels, instances([(1, whole), (0, whole)]), 1, HUES, 0.05) is None
    assert metadata.tote_colour(pixels, instances([(1, whole)]), None, HUES, 0.05) is None
    assert metadata.tote_colour(pixels, None, 1, HUES, 0.05) is None


def test_hues_are_compared_around_the_circle() -> None:
    pixels = np.full((9, 12, 3), (200, 0, 20), np.uint8)  # at 354 degrees
    found = instances([(1, rectangle(0, 0, 12, 9))])
    assert metadata.tote_colour(pixels, found, 1, {"red": 5.0, "magenta": 300.0}, 0.05) == "red"


def test_generated_totes_are_called_by_their_colour(config: ArmbenchConfig) -> None:
    for seed in range(8):
        scene = draw_tote(320, 268, 12, np.random.default_rng(seed))
        masks = [scene.owners == number for number in range(TOTE, len(scene.kinds) + 1)]
        found = instances([(1, masks[0]), *((0, mask) for mask in masks[1:])], (320, 268))
        hues, least = config.metadata.tote_hues, config.metadata.least_chroma
        assert metadata.tote_colour(scene.pixels, found, 1, hues, least) == scene.colour


def test_small_objects_are_those_below_a_share_of_the_image_totes_aside() -> None:
    found = instances(
        [
            (0, rectangle(0, 0, 2, 2)),
            (0, rectangle(3, 0, 6, 2)),
            (1, rectangle(0, 5, 1, 6)),
            (0, rectangle(9, 0, 12, 9)),
        ],
        crowd=[False, False, False, False],
    )
    assert metadata.small_objects(found, 1, 4 / 108) == 0
    assert metadata.small_objects(found, 1, 4.1 / 108) == 1
    assert metadata.small_objects(found, 1, 6.1 / 108) == 2
    assert metadata.small_objects(found, None, 6.1 / 108) == 3
    assert metadata.small_objects(None, 1, 0.5) is None
    assert metadata.small_objects(instances([]), 1, 0.5) == 0


def test_a_duplicate_is_an_object_that_is_there_already() -> None:
    square, nearly = rectangle(0, 0, 5, 4), rectangle(0, 0, 5, 4)
    nearly[0, 0] = False  # IoU 19 / 20
    found = instances([(0, square), (0, nearly), (0, square), (1, square), (0, rectangle(6, 0, 11, 4))])
    assert metadata.duplicates(found, 0.9) == 2
    assert metadata.duplicates(found, 0.95) == 2
    assert metadata.duplicates(found, 0.951) == 1
    assert metadata.duplicates(found, 1.0) == 1
    assert metadata.duplicates(instances([]), 0.9) == 0
    assert metadata.duplicates(None, 0.9) is None


def test_duplicates_are_told_by_their_masks_and_not_by_their_boxes() -> None:
    ring = rectangle(0, 0, 9, 9) & ~rectangle(1, 1, 8, 8)
    found = instances([(0, ring), (0, rectangle(0, 0, 9, 9)), (0, rectangle(3, 3, 6, 6))])
    assert metadata.duplicates(found, 0.5) == 0


def test_duplicates_are_those_of_a_double_loop_over_whole_masks() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        rows = []
        for _ in range(8):
            x, y = rng.integers(0, 4, 2)
            rows.append(
                (int(rng.integers(2)), rectangle(x, y, x + int(rng.integers(4, 8)), y + int(rng.integers(3, 6))))
            )
        expected = sum(
            any(
                rows[one][0] == rows[other][0]
                and (rows[one][1] & rows[other][1]).sum() >= 0.6 * (rows[one][1] | rows[other][1]).sum()
                for one in range(other)
            )
            for other in range(8)
        )
        assert metadata.duplicates(instances(rows), 0.6) == expected


def test_occlusions_are_those_between_objects_by_box_and_by_mask() -> None:
    size = (64, 64)
    lower, upper = rectangle(8, 8, 40, 40, size), rectangle(24, 8, 40, 24, size)
    beside = rectangle(44, 44, 60, 60, size)
    rows = [(1, rectangle(0, 0, 64, 64, size)), (0, lower & ~upper), (0, upper), (0, beside)]
    found = instances(rows, size)
    # The upper one lies in a corner of the lower one: their boxes overlap, and each covers a share of the other's.
    # Of the lower one's hull, cut off at that corner, the upper one covers the half of itself.
    by_box = {"by_box": 2, "by_box_mean": 2 / 3}
    by_mask = {"by_mask": 1, "by_mask_mean": 1 / 3}
    assert metadata.occlusions(found, 1, 64) == pytest.approx(by_box | by_mask)
    # A crowd is no object, and an object alone hides none.
    alone = metadata.occlusions(instances(rows[1:3], size, [True, False]), 1, 64)
    assert alone == {"by_box": 0, "by_box_mean": 0.0, "by_mask": 0, "by_mask_mean": 0.0}
    assert set(alone) == set(metadata.OCCLUSION_TYPES)


def test_occlusions_of_no_object_have_no_mean_and_of_no_annotations_no_value() -> None:
    only_tote = instances([(1, rectangle(0, 0, 12, 9))])
    assert metadata.occlusions(only_tote, 1, 32) == {
        "by_box": 0,
        "by_box_mean": None,
        "by_mask": 0,
        "by_mask_mean": None,
    }
    assert set(metadata.occlusions(None, 1, 32).values()) == {None}


def test_the_keys_of_counts_and_classes_are_told_beforehand(tote: tuple[NDArray[np.uint8], Instances]) -> None:
    assert tuple(metadata.counts(tote[1], 0, LABELS, 9)) == metadata.count_names(LABELS)
    assert tuple(metadata.classes(*tote, LABELS)) == metadata.class_names(LABELS)
    assert metadata.file("a/b.jpg", (12, 9)) == {"file_name": "a/b.jpg", "width": 12, "height": 9}
    assert {key: type(value) for key, value in metadata.file("", (1, 1)).items()} == metadata.FILE_TYPES


def test_image_statistics_are_of_the_image_and_not_of_its_border() -> None:
    pixels = np.zeros((30, 61, 3), np.uint8)
    pixels[:, :, 0] = 255
    values = metadata.image_statistics(pixels, 32)
    assert tuple(values) == IMAGE_STATISTICS
    assert values["red_mean"] == 1
    assert values["green_mean"] == values["red_std"] == values["entropy"] == 0
    assert values["contrast"] == pytest.approx(0, abs=1e-9)
    assert values["saturation"] == 1
    assert values["colour_temperature"] is None


def test_sharpness_does_not_depend_on_the_size_of_the_file() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (64, 64, 3), np.uint8)
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    assert metadata.image_statistics(large, 64)["sharpness"] == metadata.image_statistics(small, 64)["sharpness"]
