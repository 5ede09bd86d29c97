from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from vision.statistics import image_statistics
from yolov7_foresight import metadata

LABELS = ("car", "pedestrian", "cyclist")


def _objects(*rows: tuple[float, float, float, float, int]) -> Objects:
    table = np.array(rows, np.float64).reshape(-1, 5)
    return Objects(table[:, :4], table[:, 4].astype(np.int64))


@pytest.fixture
def street() -> NDArray[np.uint8]:
    """120 x 90: the upper half blue, the lower grey."""
    pixels = np.full((90, 120, 3), 102, np.uint8)
    pixels[:45] = (0, 0, 255)
    return pixels


def test_a_frame_tells_its_file_and_size(street: NDArray[np.uint8]) -> None:
    assert metadata.frame(street, Path("far/away/a b.jpg")) == {
        "file_name": "a b.jpg",
        "width": 120,
        "height": 90,
    }
    assert metadata.frame(street, None)["file_name"] is None


def test_objects_are_counted_by_class_and_in_all() -> None:
    objects = _objects((0, 0, 10, 10, 0), (20, 0, 30, 10, 2), (40, 0, 50, 10, 0))
    assert metadata.object_counts(objects, LABELS, 48) == {
        "all": 3,
        "of_car": 2,
        "of_pedestrian": 0,
        "of_cyclist": 1,
        "overlapping_pairs": 0,
        "not_kept": 0,
        "more_than_kept": False,
    }


def test_a_frame_with_more_objects_than_the_ground_truth_keeps_says_so() -> None:
    objects = _objects(*((10 * number, 0, 10 * number + 5, 5, 0) for number in range(5)))
    for most, beyond in ((6, 0), (5, 0), (4, 1), (1, 4)):
        found = metadata.object_counts(objects, LABELS, most)
        assert (found["not_kept"], found["more_than_kept"]) == (beyond, beyond > 0)
        assert found["all"] == 5


def test_each_pair_that_overlaps_counts_once() -> None:
    # IoU of the first two: 50 / 150. The third touches the second, and overlaps the fourth by 10 / 190 only.
    objects = _objects((0, 0, 10, 10, 0), (5, 0, 15, 10, 1), (15, 0, 25, 10, 0), (24, 0, 34, 10, 0))
    assert metadata.object_counts(objects, LABELS, 48)["overlapping_pairs"] == 1
    same = _objects(*[(0, 0, 10, 10, 0)] * 4)
    assert metadata.object_counts(same, LABELS, 48)["overlapping_pairs"] == 6


def test_sizes_are_shares_of_the_frame_and_sides_are_not_swapped() -> None:
    objects = _objects((0, 0, 24, 45, 0), (60, 0, 72, 9, 1))
    assert metadata.object_sizes(objects, 120, 90) == {
        "mean_area": pytest.approx((0.1 + 0.01) / 2),
        "min_area": pytest.approx(0.01),
        "max_area": pytest.approx(0.1),
        "mean_height": pytest.approx(0.3),
        "min_height": pytest.approx(0.1),
        "max_height": pytest.approx(0.5),
    }


def test_without_objects_there_are_counts_of_none_but_no_sizes() -> None:
    counts = metadata.object_counts(_objects(), LABELS, 48)
    assert set(counts.values()) == {0}
    assert counts["more_than_kept"] is False
    assert set(metadata.object_sizes(_objects(), 120, 90).values()) == {None}


def test_without_a_label_nothing_is_known_of_the_objects() -> None:
    assert set(metadata.object_counts(None, LABELS, 48).values()) == {None}
    assert set(metadata.object_sizes(None, 120, 90).values()) == {None}


def test_parameters_exist_where_a_frame_was_simulated() -> None:
    assert metadata.simulation(None, ("fisheye", "dusk")) == {"fisheye": None, "dusk": None}
    made = metadata.simulation({"dusk": 0.7, "fisheye": 0.0}, ("fisheye", "dusk"))
    assert made == {"fisheye": 0.0, "dusk": 0.7}
    assert list(made) == ["fisheye", "dusk"]
    with pytest.raises(KeyError):
        metadata.simulation({"dusk": 0.7}, ("fisheye", "dusk"))


@pytest.mark.parametrize("objects", [None, _objects(), _objects((0, 0, 24, 45, 0), (1, 1, 12, 9, 1))])
def test_keys_and_types_are_those_declared_whatever_the_frame(
    objects: Objects | None, street: NDArray[np.uint8]
) -> None:
    for found, types in (
        (metadata.frame(street, Path("a.jpg")), metadata.FRAME_TYPES),
        (image_statistics(street), metadata.STATISTICS_TYPES),
        (metadata.object_counts(objects, LABELS, 1), metadata.count_types(LABELS)),
        (metadata.object_sizes(objects, 120, 90), metadata.SIZE_TYPES),
    ):
        assert list(found) == list(types)
        for key, value in found.items():
            assert value is None or type(value) is types[key], key
