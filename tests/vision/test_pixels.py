import warnings

import numpy as np
import pytest

from vision.pixels import LINEAR_LIGHT, to_display_range, to_unit_range

VALUES = np.arange(256, dtype=np.uint8)


def test_every_value_of_a_file_comes_back_from_the_model_to_the_screen() -> None:
    image = VALUES.reshape(16, 16, 1)
    unit = to_unit_range(image)
    assert unit.dtype == np.float32
    assert unit.shape == image.shape
    np.testing.assert_allclose(unit.ravel(), np.arange(256) / 255.0, atol=1e-7)
    np.testing.assert_array_equal(to_display_range(unit), image)


def test_light_is_the_inverse_of_the_transfer_of_srgb() -> None:
    # As IEC 61966-2-1 has the transfer: a line to 0.0031308, a power from there on.
    encoded = np.where(
        LINEAR_LIGHT <= 0.0031308, 12.92 * LINEAR_LIGHT, 1.055 * np.maximum(LINEAR_LIGHT, 0) ** (1 / 2.4) - 0.055
    )
    assert LINEAR_LIGHT.dtype == np.float64
    np.testing.assert_allclose(encoded * 255, np.arange(256), atol=1e-9)
    assert LINEAR_LIGHT[[0, 255]].tolist() == [0, 1]


def test_black_is_zero_and_white_is_one_exactly() -> None:
    assert to_unit_range(np.array([0, 255], np.uint8)).tolist() == [0.0, 1.0]


def test_every_value_survives_the_half_precision_of_the_platform() -> None:
    np.testing.assert_array_equal(to_display_range(to_unit_range(VALUES).astype(np.float16)), VALUES)


def test_every_half_between_black_and_white_is_shown_by_the_nearest_byte() -> None:
    halves = np.arange(np.float16(1).view(np.uint16) + 1, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(to_display_range(halves), np.rint(halves.astype(np.float64) * 255))


def test_to_unit_range_leaves_the_image_alone() -> None:
    image = VALUES.copy()
    to_unit_range(image)
    np.testing.assert_array_equal(image, VALUES)


def test_values_outside_are_clipped_and_not_wrapped_around() -> None:
    image = np.array([-0.5, -1e-4, 1.0001, 1.5, 300.0, 3e38, np.inf, -np.inf], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        displayed = to_display_range(image)
    assert displayed.dtype == np.uint8
    assert displayed.tolist() == [0, 0, 255, 255, 255, 255, 255, 0]


@pytest.mark.parametrize(("value", "expected"), [(0.5 / 255, 0), (0.51 / 255, 1), (99.4 / 255, 99), (99.6 / 255, 100)])
def test_values_between_are_rounded_and_not_cut(value: float, expected: int) -> None:
    assert to_display_range(np.array([value])).tolist() == [expected]


def test_nan_is_black_and_its_neighbours_keep_their_values() -> None:
    image = np.array([[np.nan, 0.2], [1.0, np.nan]], np.float32)
    assert to_display_range(image).tolist() == [[0, 51], [255, 0]]
    assert np.isnan(image).sum() == 2, "the argument was changed"
