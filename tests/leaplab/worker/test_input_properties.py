"""Properties of inputs against OpenCV, SciPy, colorsys and plain loops."""

import colorsys
import hashlib
from typing import Any

import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from leaplab.protocol.description import InputSpec
from leaplab.worker.input_properties import (
    InputFacts,
    channel_axis,
    input_facts,
    property_names,
    scale_of,
)

WEIGHTS = (0.299, 0.587, 0.114)


def pictures(count, height, width, channels, seed=0) -> Any:
    """Smooth noise in [0, 1], some of it grey, some with a constant frame."""
    generator = np.random.default_rng(seed)
    drawn = generator.random((count, height, width, channels)).astype(np.float32)
    drawn = np.stack([cv2.GaussianBlur(each, (5, 5), 1).reshape(each.shape) for each in drawn])
    drawn[0, :3] = drawn[0, :, -2:] = drawn[0, 0, 0]
    drawn[1] = 0.25
    return drawn


def facts(pixels, scale=(0.0, 1.0), channel_dim=-1) -> InputFacts:
    spec = InputSpec("picture", pixels.shape[1:], channel_dim)
    return input_facts({"picture": pixels}, [spec], {"picture": scale})


@pytest.mark.parametrize(("height", "width"), [(28, 28), (31, 57), (64, 16), (9, 12)])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_has_the_properties_that_other_libraries_give(height, width, channels):
    drawn = pictures(6, height, width, channels)
    found = facts(drawn * 255, (0.0, 255.0))

    for row, picture in enumerate(drawn.astype(np.float64)):
        luma = picture[..., 0] if channels == 1 else picture @ WEIGHTS
        own = {name: values[row] for name, values in found.columns.items()}
        assert own["brightness"] == pytest.approx(luma.mean(), rel=1e-4)
        assert own["contrast"] == pytest.approx(luma.std(), rel=1e-3, abs=1e-6)
        inner = ndimage.laplace(luma)[1:-1, 1:-1]
        assert own["sharpness"] == pytest.approx(inner.var(), rel=1e-3, abs=1e-9)
        counts, _ = np.histogram(np.float32(luma), 256, (0, 1))
        assert own["entropy"] == pytest.approx(stats.entropy(counts, base=2), abs=0.15)
        if channels == 3:
            colours = [colorsys.rgb_to_hsv(*pixel)[1] for pixel in picture.reshape(-1, 3)]
            assert own["saturation"] == pytest.approx(np.mean(colours), rel=1e-3)
        else:
            assert own["saturation"] is None


@pytest.mark.parametrize(("height", "width"), [(28, 28), (31, 57), (320, 256), (9, 12), (16, 16)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_thumbnail_is_the_mean_over_areas(height, width, channels):
    drawn = pictures(3, height, width, channels)
    found = facts(drawn).thumbnails["picture"]

    assert found.shape == (3, 16, 16, channels)
    assert found.dtype == np.uint8
    larger = [np.repeat(np.repeat(each, 2, 0), 2, 1) if min(height, width) < 16 else each for each in drawn]
    wanted = [cv2.resize(each, (16, 16), interpolation=cv2.INTER_AREA).reshape(16, 16, -1) * 255 for each in larger]
    assert np.abs(found - np.array(wanted)).max() <= 0.6  # half a step, and float32


@pytest.mark.parametrize(
    ("rows", "columns", "wanted"), [((0, 0), (0, 0), 0), ((2, 1), (0, 0), 3 / 10), ((0, 4), (3, 1), 1 - 6 * 8 / 120)]
)
def test_the_border_is_what_has_the_corner_s_colour_throughout(rows, columns, wanted):
    inner = np.random.default_rng(1).random((10 - sum(rows), 12 - sum(columns), 3)).astype(np.float32)
    framed = np.pad(inner, (rows, columns, (0, 0)), constant_values=0.5)

    assert facts(framed[np.newaxis]).columns["border_share"] == [pytest.approx(wanted)]


def test_an_image_of_one_colour_is_all_border():
    columns = facts(np.full((1, 20, 20, 3), 7, np.float32), (0.0, 255.0)).columns

    assert columns["border_share"] == [1]
    assert (columns["contrast"], columns["entropy"], columns["sharpness"]) == ([0], [0], [0])


def test_channels_first_and_last_say_the_same():
    drawn = pictures(4, 24, 40, 3)
    last, first = facts(drawn), facts(np.ascontiguousarray(drawn.transpose(0, 3, 1, 2)), channel_dim=1)

    del last.columns["hash"], first.columns["hash"]
    assert last.columns == first.columns
    np.testing.assert_array_equal(last.thumbnails["picture"], first.thumbnails["picture"])


@pytest.mark.parametrize("shape", [(20, 30, 3), (28, 28, 1), (12,), (7, 5)])
def test_a_sample_has_the_same_in_any_batch(shape):
    values = np.random.default_rng(2).normal(size=(9, *shape)).astype(np.float32)
    together = facts(values, (-4.0, 4.0))

    for row in range(9):
        alone = facts(values[row : row + 1], (-4.0, 4.0))
        assert {name: found[row] for name, found in together.columns.items()} == {
            name: found[0] for name, found in alone.columns.items()
        }
        for name, small in alone.thumbnails.items():
            np.testing.assert_array_equal(together.thumbnails[name][row], small[0])


def test_what_is_no_image_has_mean_spread_zeros_and_length():
    tokens = np.array([[5, 0, 2, 0, 0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 6]], np.float32)
    found = facts(tokens).columns

    assert found["length"] == [3, 0, 5]
    assert found["zero_share"] == pytest.approx([0.6, 1, 0])
    assert found["mean"] == pytest.approx(tokens.mean(axis=1).tolist())
    assert found["spread"] == pytest.approx(tokens.std(axis=1).tolist())
    steps = np.zeros((1, 6, 4), np.float32)
    steps[0, 3, 1] = -2
    assert facts(steps).columns["length"] == [4]


def test_hashes_are_equal_where_all_inputs_are():
    first, second = (np.random.default_rng(seed).random((4, 5)).astype(np.float32) for seed in (3, 4))
    first[2], second[2] = first[0], second[0]
    first[3] = first[0]
    specs = [InputSpec(name, (5,), -1) for name in ("a", "b")]
    found = input_facts({"a": first, "b": second}, specs, {}).columns["hash"]

    assert found[0] == found[2]
    assert len(set(found)) == 3
    assert found[1] == hashlib.sha256(first[1].tobytes() + second[1].tobytes()).hexdigest()[:32]


def test_several_inputs_are_told_apart():
    specs = [InputSpec("a", (16, 16, 3), -1), InputSpec("b", (4,), -1)]
    inputs = {"a": np.zeros((2, 16, 16, 3), np.float32), "b": np.ones((2, 4), np.float32)}
    found = input_facts(inputs, specs, {})

    assert list(found.columns) == list(property_names(specs))
    assert found.columns["b_mean"] == [1, 1]
    assert list(found.thumbnails) == ["a"]
    assert property_names(specs)["b_length"] == "int"


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, (0, 1)),
        (0, 255, (0, 255)),
        (-1, 0.9, (-1, 1)),
        (0, 4000, (0, 65535)),
        (-2.1, 2.6, (-4, 4)),
        (-128, 127, (-128, 128)),
    ],
)
def test_the_scale_is_told_from_the_values(low, high, wanted):
    assert scale_of(low, high) == wanted


@pytest.mark.parametrize(
    ("shape", "channel_dim", "wanted"),
    [
        ((28, 28, 1), -1, -1),
        ((3, 64, 48), 1, 0),
        ((64, 48, 3), 1, -1),
        ((28, 28), -1, None),
        ((6, 6, 1), -1, None),
        ((20, 30, 7), -1, None),
        ((5,), -1, None),
    ],
)
def test_an_image_is_told_by_its_shape(shape, channel_dim, wanted):
    assert channel_axis(InputSpec("x", shape, channel_dim)) == wanted
