from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vision import statistics
from yolov7_foresight.camera import DAYLIGHT, Camera

WIDTH, HEIGHT = 160, 120
RNG_SEED = 5


def _grey_noise(low: int, high: int) -> NDArray[np.uint8]:
    values = np.random.default_rng(2).integers(low, high, (HEIGHT, WIDTH, 1)).astype(np.uint8)
    return np.asarray(np.repeat(values, 3, axis=2))


def _developed(camera: Camera, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return camera.develop(image, np.random.default_rng(RNG_SEED))


def _linear(value: float) -> float:
    """sRGB's transfer function, as IEC 61966-2-1 writes it."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def test_a_camera_of_default_settings_changes_no_byte() -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    instances = np.random.default_rng(1).integers(0, 9, (HEIGHT, WIDTH)).astype(np.int32)
    assert np.array_equal(_developed(Camera(), Camera().warp(image)), image)
    assert np.array_equal(Camera().warp_instances(instances), instances)
    edges = np.array([[3.0, 4.0, 50.5, 60.25]])
    assert np.allclose(Camera().transport(edges, WIDTH, HEIGHT), edges)


def test_a_setting_that_does_next_to_nothing_changes_no_byte_either() -> None:
    # Not the short cut for default settings: light is made linear and encoded again.
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis], 3, axis=2).repeat(4, axis=1)
    assert np.array_equal(_developed(Camera(exposure=1e-9), ramp), ramp)


@settings(deadline=None)
@given(
    st.floats(0, 1), st.floats(0, WIDTH), st.floats(0, HEIGHT),
)  # fmt: skip
def test_going_back_through_the_lens_leads_to_where_one_came_from(fisheye: float, x: float, y: float) -> None:
    camera, point = Camera(fisheye=fisheye), np.array([x, y])
    seen = camera.forward(point, WIDTH, HEIGHT)
    # At fisheye 1 the corners are where the lens would fold: there a digit of the way is a root of one of the way back.
    assert camera.backward(seen, WIDTH, HEIGHT) == pytest.approx(point, abs=1e-4)


@settings(deadline=None)
@given(
    st.floats(0, 1), st.floats(0, WIDTH), st.floats(0, HEIGHT),
)  # fmt: skip
def test_every_place_of_the_picture_shows_a_place_of_the_scene(fisheye: float, x: float, y: float) -> None:
    camera, point = Camera(fisheye=fisheye), np.array([x, y])
    shown = camera.backward(point, WIDTH, HEIGHT)
    assert (shown >= -1e-6).all()
    assert (shown <= np.array([WIDTH, HEIGHT]) + 1e-6).all()


@pytest.mark.parametrize("fisheye", [0.3, 0.6, 1.0])
def test_a_lens_keeps_the_middle_and_the_corners_and_magnifies_the_middle(fisheye: float) -> None:
    camera = Camera(fisheye=fisheye)
    kept = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT], [WIDTH / 2, HEIGHT / 2]], float)
    assert camera.forward(kept, WIDTH, HEIGHT) == pytest.approx(kept, abs=1e-9)
    near = np.array([WIDTH / 2 + 0.01, HEIGHT / 2])
    moved = camera.forward(near, WIDTH, HEIGHT)[0] - WIDTH / 2
    assert moved / 0.01 == pytest.approx(1 + fisheye, rel=1e-4)


def test_a_straight_line_bows_away_from_the_middle() -> None:
    points = np.stack([np.linspace(0, WIDTH, 9), np.full(9, 20.0)], axis=1)
    heights = Camera(fisheye=0.6).forward(points, WIDTH, HEIGHT)[:, 1]
    assert heights.argmin() == 4  # above the middle, farthest up: a barrel
    assert (np.diff(heights[:5]) < 0).all()


Rectangle = tuple[int, int, int, int]
rectangles = st.tuples(
    st.integers(0, WIDTH - 20), st.integers(0, HEIGHT - 20), st.integers(20, 120), st.integers(20, 100)
).map(lambda box: (box[0], box[1], min(box[0] + box[2], WIDTH), min(box[1] + box[3], HEIGHT)))


@settings(deadline=None)
@given(st.floats(0, 0.8), rectangles)
def test_a_transported_box_holds_what_is_shown_of_its_inside(fisheye: float, rectangle: Rectangle) -> None:
    camera, (left, top, right, bottom) = Camera(fisheye=fisheye), rectangle
    (predicted,) = camera.transport(np.array([rectangle], float), WIDTH, HEIGHT)
    x = np.linspace(left, right, 4 * (right - left) + 1)
    y = np.linspace(top, bottom, 4 * (bottom - top) + 1)
    inside = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    seen = camera.forward(inside, WIDTH, HEIGHT)
    shown = seen[((seen >= 0) & (seen <= (WIDTH, HEIGHT))).all(axis=1)]
    if len(shown) == 0:
        assert (predicted[2:] - predicted[:2]).min() < 1
        return
    assert np.concatenate([shown.min(axis=0), shown.max(axis=0)]) == pytest.approx(predicted, abs=1.0)


@settings(deadline=None)
@given(st.floats(0, 0.8), rectangles)
def test_the_box_of_a_warped_rectangle_is_its_transported_box(fisheye: float, rectangle: Rectangle) -> None:
    camera, (left, top, right, bottom) = Camera(fisheye=fisheye), rectangle
    edges = np.array([rectangle], float)
    (predicted,) = camera.transport(edges, WIDTH, HEIGHT)
    instances = np.zeros((HEIGHT, WIDTH), np.int32)
    instances[top:bottom, left:right] = 7
    y, x = np.nonzero(camera.warp_instances(instances) == 7)
    if len(x) == 0:
        assert (predicted[2:] - predicted[:2]).min() < 1
        return
    measured = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
    # A pixel of the picture and, where the middle is magnified, half a pixel of the scene.
    most = 1 + fisheye / 2
    assert (predicted[:2] - measured[:2]).max() <= most
    assert (measured[2:] - predicted[2:]).max() <= most
    corners = camera.forward(np.array([(x, y) for x in (left, right) for y in (top, bottom)], float), WIDTH, HEIGHT)
    if ((corners >= 0) & (corners <= (WIDTH, HEIGHT))).all():  # nothing is cut to a tip that falls between pixels
        assert measured == pytest.approx(predicted, abs=most)


def test_what_the_lens_cuts_off_has_an_empty_box_at_the_border() -> None:
    camera = Camera(fisheye=0.8)
    (box,) = camera.transport(np.array([[0.0, 55.0, 6.0, 65.0]]), WIDTH, HEIGHT)
    assert box.tolist() == pytest.approx([0, box[1], 0, box[1]])
    assert 55 < box[1] < 65


def test_image_and_instances_go_through_the_same_lens() -> None:
    instances = np.zeros((HEIGHT, WIDTH), np.int32)
    cv2.rectangle(instances, (20, 70), (60, 110), 1, -1)
    image = np.repeat((instances * 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    camera = Camera(fisheye=0.7)
    painted = camera.warp(image)[..., 0] > 127
    assert np.count_nonzero(painted != (camera.warp_instances(instances) == 1)) < 0.02 * np.count_nonzero(painted) + 60


def test_boxes_of_no_object_stay_none() -> None:
    assert Camera(fisheye=0.5).transport(np.zeros((0, 4)), WIDTH, HEIGHT).shape == (0, 4)


@pytest.mark.parametrize("stops", [-2.0, -1.0, 1.0, 2.0])
def test_a_stop_of_exposure_doubles_linear_light(stops: float) -> None:
    image = np.full((4, 4, 3), (40, 60, 90), np.uint8)
    seen = _developed(Camera(exposure=stops), image)[0, 0] / 255
    for value, before in zip(seen, (40, 60, 90), strict=True):
        assert _linear(value) == pytest.approx(_linear(before / 255) * 2**stops, abs=0.006)


def test_gain_acts_on_the_light_of_its_channel_alone() -> None:
    image = np.full((4, 4, 3), 100, np.uint8)
    red, green, blue = (_developed(Camera(gain=(2.0, 1.0, 0.5)), image)[0, 0] / 255).tolist()
    light = _linear(100 / 255)
    assert (_linear(red), _linear(green), _linear(blue)) == pytest.approx((2 * light, light, light / 2), abs=0.004)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.3])
def test_spread_multiplies_the_deviation_of_a_channel_and_leaves_its_mean(factor: float) -> None:
    image = _grey_noise(90, 160)  # far from where it would clip
    seen = _developed(Camera(spread=(factor, 1.0, 1.0)), image)
    before, after = statistics.channel_deviations(image), statistics.channel_deviations(seen)
    assert after[0] == pytest.approx(factor * before[0], rel=0.01)
    assert after[1:] == pytest.approx(before[1:], rel=1e-6)
    assert statistics.channel_means(seen) == pytest.approx(statistics.channel_means(image), abs=0.002)


def test_a_lower_colour_temperature_of_the_light_makes_a_warmer_picture() -> None:
    image = _grey_noise(60, 120)
    kelvins = [3000.0, 4500.0, DAYLIGHT, 8000.0, 11000.0]
    seen = [statistics.colour_temperature(_developed(Camera(temperature=kelvin), image)) for kelvin in kelvins]
    # Grey under a light has the light's temperature: the camera states it in the words in which it is measured.
    assert seen == pytest.approx(kelvins, rel=0.07)
    red_over_blue = [
        np.divide(*_developed(Camera(temperature=kelvin), image)[..., [0, 2]].mean((0, 1))) for kelvin in kelvins
    ]
    assert red_over_blue == sorted(red_over_blue, reverse=True)


def test_gamma_is_an_exponent_on_values() -> None:
    image = np.full((4, 4, 3), 128, np.uint8)
    assert _developed(Camera(gamma=2.0), image)[0, 0, 0] == round((128 / 255) ** 2 * 255)


def test_noise_has_its_deviation_is_of_a_seed_and_has_no_bias() -> None:
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    camera = Camera(noise=0.03)
    seen = _developed(camera, image)
    assert seen.std() / 255 == pytest.approx(0.03, rel=0.02)
    assert seen.mean() == pytest.approx(128, abs=0.15)
    assert np.array_equal(seen, _developed(camera, image))
    assert not np.array_equal(seen, camera.develop(image, np.random.default_rng(RNG_SEED + 1)))


def test_blur_makes_an_image_less_sharp_the_wider_it_is() -> None:
    image = _grey_noise(0, 256)
    sharpness = [statistics.sharpness(_developed(Camera(blur=sigma), image)) for sigma in (0.0, 0.5, 1.0, 2.0)]
    assert sharpness == sorted(sharpness, reverse=True)


def test_a_vignette_takes_light_from_the_corners_and_none_from_the_middle() -> None:
    image = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    seen = _developed(Camera(vignette=0.5), image)
    assert abs(int(seen[HEIGHT // 2, WIDTH // 2, 0]) - 150) <= 1
    assert _linear(seen[0, 0, 0] / 255) == pytest.approx(0.5 * _linear(150 / 255), rel=0.03)


def test_light_beyond_white_is_white() -> None:
    image = np.full((4, 4, 3), 200, np.uint8)
    assert (_developed(Camera(exposure=5), image) == 255).all()
    assert (_developed(Camera(exposure=5, gamma=3.0), image) == 255).all()


@pytest.mark.parametrize(
    "setting",
    [
        {"fisheye": 1.2}, {"fisheye": -0.1}, {"vignette": 2.0}, {"gamma": 0.0}, {"blur": -1.0}, {"noise": -0.1},
        {"temperature": 100.0}, {"temperature": float("nan")},
    ],
)  # fmt: skip
def test_a_camera_that_cannot_be_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is in|are in|between"):
        Camera(**setting)
