import numpy as np
import pytest

from armbench_segmentation.data.coco import Instances
from armbench_segmentation.elements import METADATA_TYPES, element
from armbench_segmentation.encoders import ground_truth, masks
from tests.armbench_segmentation.conftest import instances, rectangle

LABELS = ("Object", "Tote")
SIZE = (64, 32)
"""Of the image; the model's input is 64 x 64, so a pixel of it is one of the image, with a border above and below."""


def square(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    return rectangle(x1, y1, x2, y2, SIZE)


@pytest.fixture
def tote() -> Instances:
    """A tote, a group that counts as no object, and three objects, of which the second lies on the first."""
    lower, upper = square(10, 8, 30, 24), square(20, 8, 26, 16)
    rows = [
        (1, square(4, 2, 60, 30)),
        (0, square(40, 20, 44, 24)),  # the group
        (0, lower & ~upper),
        (0, upper),
        (0, square(50, 0, 64, 10)),
    ]
    return instances(rows, SIZE, [False, True, False, False, False])


def test_an_element_is_named_by_its_label_and_its_mask_lies_over_the_input(tote: Instances) -> None:
    for number, (label, column) in enumerate(zip(("Tote", "Object", "Object", "Object"), (4, 10, 20, 50), strict=True)):
        found = element(tote, number, LABELS, 1, 64, "NHWC")
        assert found.name == label
        assert (found.mask.shape, found.mask.dtype) == ((64, 64, 3), np.float32)
        np.testing.assert_array_equal(found.mask[..., 0], found.mask[..., 2])
        assert np.flatnonzero(found.mask[..., 0].any(axis=0))[0] == column
        assert not found.mask[:16].any()  # the border
    upper = element(tote, 2, LABELS, 1, 64, "NHWC").mask[..., 1]
    np.testing.assert_array_equal(upper[16:48], square(20, 8, 26, 16))


def test_channels_come_first_where_the_input_has_them_first(tote: Instances) -> None:
    last, first = (element(tote, 1, LABELS, 1, 64, layout).mask for layout in ("NHWC", "NCHW"))
    assert first.shape == (3, 64, 64)
    np.testing.assert_array_equal(first.transpose(1, 2, 0), last)


def test_elements_are_the_rows_of_the_ground_truth(tote: Instances) -> None:
    # The group has a row too, below them.
    rows, mask_rows = ground_truth(tote, 64, 6), masks(tote, 64, 1, 6)
    assert rows[4:, 0].tolist() == [-2, -1]
    for number in range(4):
        found = element(tote, number, LABELS, 1, 64, "NHWC")
        assert LABELS.index(found.name) == rows[number, 0]
        np.testing.assert_array_equal(found.mask[..., 0], mask_rows[number])


def test_the_metadata_of_an_element_are_its_own(tote: Instances) -> None:
    whole, lower, upper, corner = (
        element(tote, number, LABELS, 1, 64, "NHWC").instance_metadata or {} for number in range(4)
    )
    assert set(lower) == set(METADATA_TYPES)
    assert lower["category"] == "Object"
    assert lower["area_share"] == pytest.approx((20 * 16 - 6 * 8) / (64 * 32))
    # Its hull is the whole rectangle, of which the upper one hides 48 pixels of 320; the tote below hides nothing.
    assert lower["occluded_share"] == pytest.approx(48 / 320)
    assert upper["occluded_share"] == 0
    assert [one["touches_border"] for one in (whole, lower, upper, corner)] == [False, False, False, True]
    assert (whole["category"], whole["occluded_share"]) == ("Tote", None)


@pytest.mark.parametrize(
    ("edges", "touches"),
    [
        ((0, 4, 5, 9), True),
        ((4, 0, 9, 5), True),
        ((59, 4, 64, 9), True),
        ((4, 27, 9, 32), True),
        ((1, 1, 63, 31), False),
    ],
)
def test_an_element_touches_the_border_on_any_side(edges: tuple[int, int, int, int], touches: bool) -> None:
    found = element(instances([(0, square(*edges))], SIZE), 0, LABELS, 1, 64, "NHWC").instance_metadata
    assert found is not None
    assert found["touches_border"] is touches


def test_where_nothing_is_a_tote_every_element_can_be_occluded(tote: Instances) -> None:
    found = element(tote, 0, LABELS, None, 64, "NHWC").instance_metadata
    assert found is not None
    inside = 20 * 16 + 10 * 8  # the two, and as much of the last one as reaches into the tote
    assert found["occluded_share"] == pytest.approx(inside / (56 * 28))
