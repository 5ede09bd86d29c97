from typing import Any

import numpy as np
import pytest

from leaplab.render.colours import heat_of, index_colour, ink_on, label_colours, scalar_colours, warmed

NAN, INF = float("nan"), float("inf")


def contrast(first, second) -> Any:
    """WCAG 2.1's contrast ratio, 1..21."""

    def luminance(colour) -> Any:
        linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    light, dark = sorted((luminance(np.array(colour) / 255) for colour in (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_value_of_a_mask_has_its_own_colour():
    assert len({index_colour(index) for index in range(256)}) == 256


def test_text_on_any_label_s_colour_can_be_read():
    assert min(contrast(index_colour(index), ink_on(index_colour(index))) for index in range(256)) > 3


def test_labels_of_one_picture_never_share_a_colour():
    labels = [f"class {number}" for number in range(256)]

    assert len(set(label_colours(labels).values())) == 256


def test_label_has_one_colour_in_every_picture_where_none_competes():
    assert label_colours(["car"])["car"] == label_colours(["car", "car"])["car"]
    assert {label_colours([label])[label] for label in ("car", "person", "truck", "bus", "dog", "cat")} > {
        label_colours(["car"])["car"]
    }


@pytest.mark.parametrize(
    ("values", "share", "is_signed"),
    [
        ([0.0, 1.0, 4.0], [0, 0.25, 1], False),
        ([2.0, 3.0, 4.0], [0, 0.5, 1], False),
        ([-4.0, -2.0], [0, 1], False),
        ([-1.0, 0.0, 2.0], [-0.5, 0, 1], True),
        ([-4.0, 0.0, 2.0], [-1, 0, 0.5], True),
        ([-1.0, NAN, 2.0, INF, -INF], [-0.5, 0, 1, 1, -0.5], True),
        ([0.0, NAN, 2.0], [0, 0, 1], False),
        ([3.0, 3.0], [0, 0], False),
        ([NAN, INF], [0, 0], False),
        ([], [], False),
        ([-1.7e308, 1.7e308], [-1, 1], True),
        ([0.0, 5e-324], [0, 0], False),
    ],
)
def test_heat_is_scaled_by_sign(values, share, is_signed):
    heat = heat_of(np.array(values))

    np.testing.assert_allclose(heat.share, share)
    assert heat.is_signed == is_signed
    assert heat.unknown == np.isnan(values).sum()


def test_warmth_is_clear_at_zero_red_above_and_blue_below():
    grey = np.full((1, 3), 128.0)
    (clear, red, blue) = warmed(grey, np.array([0.0, 1.0, -1.0])).astype(int)

    np.testing.assert_array_equal(clear, 128)
    assert red[0] > red[2] + 80
    assert blue[2] > blue[0] + 60


def test_stronger_values_are_darker_on_white():
    for sign in (1, -1):
        brightness = warmed(np.array([255.0, 255, 255]), sign * np.linspace(0, 1, 50)).astype(int).sum(axis=1)
        assert (np.diff(brightness) < 0).all()


def test_scalars_have_different_colours_that_are_seen_on_white():
    colours = scalar_colours(np.linspace(0, 1, 32))

    assert len({tuple(colour) for colour in colours.tolist()}) == 32
    assert min(contrast(colour, (255, 255, 255)) for colour in colours) > 1.9
