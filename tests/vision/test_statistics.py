import cmath
import colorsys
import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy import stats as scipy_stats

from vision import statistics

RGB = tuple[int, int, int]


def _plain(colour: RGB, side: int = 8) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


@pytest.fixture(scope="module")
def photographs() -> list[NDArray[np.uint8]]:
    """Seeded images with some structure: noise, blurred to different degrees."""
    rng = np.random.default_rng(3)
    noise = rng.random((6, 24, 32, 3))
    blurred = [ndimage.gaussian_filter(image, (size, size, 0)) for size, image in enumerate(noise)]
    return [(255 * (image - image.min()) / np.ptp(image)).astype(np.uint8) for image in blurred]


def test_channel_statistics_are_those_of_each_channel_alone(photographs: list[NDArray[np.uint8]]) -> None:
    for image in photographs:
        red, green, blue = (ndimage.mean(image[..., channel]) / 255 for channel in range(3))
        assert statistics.channel_means(image) == pytest.approx((red, green, blue), abs=1e-9)
        deviations = tuple(ndimage.standard_deviation(image[..., channel]) / 255 for channel in range(3))
        assert statistics.channel_deviations(image) == pytest.approx(deviations, abs=1e-9)


def test_red_comes_first() -> None:
    assert statistics.channel_means(_plain((255, 0, 51))) == pytest.approx((1.0, 0.0, 0.2))


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 0, 0), 0.0), ((255, 255, 255), 1.0), ((255, 0, 0), 0.299), ((0, 255, 0), 0.587), ((0, 0, 255), 0.114)],
)
def test_brightness_weighs_the_channels_as_luma_does(colour: RGB, expected: float) -> None:
    assert statistics.brightness(_plain(colour)) == pytest.approx(expected, abs=1e-9)


def test_brightness_and_contrast_are_those_of_opencvs_grey(photographs: list[NDArray[np.uint8]]) -> None:
    for image in photographs:
        grey = cv2.cvtColor((image / 255.0).astype(np.float32), cv2.COLOR_RGB2GRAY)
        assert statistics.brightness(image) == pytest.approx(float(grey.mean()), abs=1e-4)
        assert statistics.contrast(image) == pytest.approx(float(grey.std()), abs=1e-4)


def test_half_black_half_white_has_the_highest_contrast() -> None:
    image = _plain((0, 0, 0))
    image[:4] = 255
    assert statistics.contrast(image) == pytest.approx(0.5)
    assert statistics.contrast(_plain((90, 20, 200))) == pytest.approx(0.0, abs=1e-9)


def test_saturation_is_that_of_the_standard_library(photographs: list[NDArray[np.uint8]]) -> None:
    for image in photographs:
        pixels = [colorsys.rgb_to_hsv(*pixel)[1] for pixel in (image.reshape(-1, 3) / 255).tolist()]
        assert statistics.saturation(image) == pytest.approx(np.mean(pixels), abs=1e-9)
    assert statistics.saturation(_plain((0, 0, 0))) == 0.0
    assert statistics.saturation(_plain((0, 1, 0))) == 1.0  # the darkest colour that there is


def test_sharpness_is_the_variance_of_scipys_laplacian(photographs: list[NDArray[np.uint8]]) -> None:
    for image in photographs:
        grey = image @ np.array([0.299, 0.587, 0.114]) / 255
        assert statistics.sharpness(image) == pytest.approx(ndimage.laplace(grey, mode="mirror").var(), rel=1e-6)


def test_an_image_gets_less_sharp_as_it_is_blurred(photographs: list[NDArray[np.uint8]]) -> None:
    measured = [statistics.sharpness(image) for image in photographs]
    assert measured == sorted(measured, reverse=True)
    assert statistics.sharpness(_plain((10, 200, 30))) == pytest.approx(0.0, abs=1e-12)


def test_entropy_is_that_of_scipy_over_the_levels_of_luma(photographs: list[NDArray[np.uint8]]) -> None:
    for image in photographs:
        levels = np.rint(image @ np.array([0.299, 0.587, 0.114])).ravel()
        _, counts = np.unique(levels, return_counts=True)
        # OpenCV rounds a luma that lies between two levels in its own way.
        assert statistics.entropy(image) == pytest.approx(float(scipy_stats.entropy(counts, base=2)), abs=0.03)
        grey = image[..., :1].repeat(3, axis=2)
        _, counts = np.unique(grey[..., 0], return_counts=True)
        assert statistics.entropy(grey) == pytest.approx(float(scipy_stats.entropy(counts, base=2)), abs=1e-9)


def test_entropy_counts_the_bits_of_equally_frequent_levels() -> None:
    greys = np.arange(256, dtype=np.int64).reshape(16, 16, 1).repeat(3, axis=2)
    for bits in range(9):
        coarse = (greys // 2 ** (8 - bits)).astype(np.uint8)
        assert statistics.entropy(coarse) == pytest.approx(bits, abs=1e-12), bits
    assert str(statistics.entropy(_plain((90, 20, 200)))) == "0.0"
    shuffled = np.random.default_rng(0).permutation(greys.astype(np.uint8).reshape(-1, 1, 3))
    assert statistics.entropy(shuffled) == pytest.approx(8.0)


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_the_hue_of_a_plain_colour_is_that_of_the_standard_library(hue: int) -> None:
    red, green, blue = (round(255 * value) for value in colorsys.hsv_to_rgb(hue / 360, 0.8, 0.9))
    found = statistics.dominant_hue(_plain((red, green, blue)))
    assert found is not None
    assert (found - hue + 180) % 360 - 180 == pytest.approx(0, abs=1.6)  # 1.2 of the projection, and whole bytes
    assert 0 <= found < 360


def test_the_dominant_hue_is_one_that_is_there_and_not_an_average() -> None:
    image = _plain((200, 30, 30))
    image[:3] = (30, 30, 200)  # three rows of eight are blue
    assert statistics.dominant_hue(image) == pytest.approx(0, abs=0.5)
    image[:5] = (30, 30, 200)
    assert statistics.dominant_hue(image) == pytest.approx(240, abs=0.5)


def test_red_does_not_fall_apart_where_the_circle_closes() -> None:
    image = _plain((200, 0, 20))  # hue 354
    image[::2] = (200, 20, 0)  # hue 6
    image[0] = (0, 200, 0)
    found = statistics.dominant_hue(image)
    assert found is not None
    assert min(found, 360 - found) < 1


def _arrow(pixel: list[int]) -> complex:
    """A colour in the plane across the cube's grey axis: the sum of an arrow for red, one for green, one for blue."""
    arrows = [cmath.rect(value / 255, math.radians(angle)) for value, angle in zip(pixel, (0, 120, 240), strict=True)]
    return sum(arrows, 0j)


def _degrees(arrow: complex) -> float:
    return math.degrees(cmath.phase(arrow)) % 360


def _dominant_hue(image: NDArray[np.uint8]) -> float:
    """Pixel by pixel, into 36 ballot boxes of 10 degrees; the mean of the fullest three in a row."""
    boxes = [0j] * 36
    votes = [0.0] * 36
    for pixel in image.reshape(-1, 3).tolist():
        colour = _arrow(pixel)
        box = int(_degrees(colour) // 10)
        boxes[box] += colour
        votes[box] += abs(colour)
    threes = [[(first + step) % 36 for step in range(3)] for first in range(36)]
    fullest = max(threes, key=lambda three: sum(votes[box] for box in three))
    return _degrees(sum((boxes[box] for box in fullest), 0j))


@pytest.mark.parametrize("hue", [3, 77, 124, 180, 236, 301, 345, 352, 355, 358])
def test_the_dominant_hue_is_the_mean_of_the_fullest_neighbours_by_chroma(hue: int) -> None:
    rng = np.random.default_rng(hue)
    for spread in (8, 25, 60):
        hues = (rng.normal(hue, spread, 150) % 360) / 360
        faint = rng.random(150) * 0.1 + 0.02  # twice as many pixels of another hue, with little colour
        colours = [colorsys.hsv_to_rgb(h, s, 0.9) for h, s in zip(hues, rng.uniform(0.4, 1, 150), strict=True)]
        colours += [colorsys.hsv_to_rgb((hue + 150) % 360 / 360, s, 0.8) for s in (*faint, *faint)]
        pixels = np.rint(np.array(colours) * 255).astype(np.uint8)
        # On the line between two boxes a colour may fall into either.
        inside = [abs((_degrees(_arrow(pixel)) + 5) % 10 - 5) > 1e-6 for pixel in pixels.tolist()]
        image = pixels[inside, np.newaxis]
        assert statistics.dominant_hue(image) == pytest.approx(_dominant_hue(image), abs=1e-6)


def test_grey_has_no_hue_and_a_tinge_has_one_only_where_it_is_asked_for() -> None:
    assert statistics.dominant_hue(_plain((128, 128, 128))) is None
    assert statistics.dominant_hue(_plain((0, 0, 0))) is None
    tinged = _plain((138, 128, 128))  # a chroma of 10 / 255
    assert statistics.dominant_hue(tinged, least_chroma=0.03) == pytest.approx(0, abs=0.5)
    assert statistics.dominant_hue(tinged, least_chroma=0.0391) == pytest.approx(0, abs=0.5)
    assert statistics.dominant_hue(tinged, least_chroma=0.0393) is None
    assert statistics.dominant_hue(_plain((255, 0, 0)), least_chroma=1.0) == 0  # as much as that is enough


@pytest.mark.parametrize(
    ("hue", "name"),
    [
        (0, "red"),
        (359.9, "red"),
        (350, "red"),
        (30, "orange"),
        (60, "yellow"),
        (120, "green"),
        (180, "cyan"),
        (240, "blue"),
        (300, "magenta"),
        (360, "red"),
        (375, "orange"),
        (-16, "magenta"),
        (14.9, "red"),
        (15, "orange"),
        *((44.9, "orange"), (45, "yellow")),
        *((69.9, "yellow"), (70, "green")),
        *((164.9, "green"), (165, "cyan")),
        *((189.9, "cyan"), (190, "blue")),
        *((259.9, "blue"), (260, "magenta")),
        *((344.9, "magenta"), (345, "red")),
    ],
)
def test_hues_have_their_everyday_names(hue: float, name: str) -> None:
    assert statistics.hue_name(hue) == name


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (119, 119, 119), (200, 40, 90), (3, 1, 0)])
def test_lightness_of_a_plain_colour_is_that_of_opencv(colour: RGB) -> None:
    lab = cv2.cvtColor((_plain(colour) / 255.0).astype(np.float32), cv2.COLOR_RGB2Lab)
    assert statistics.lightness(_plain(colour)) == pytest.approx(float(lab[0, 0, 0]), abs=0.25)  # OpenCV interpolates


def _light(byte: int) -> float:
    """The light that a byte of sRGB stands for."""
    return byte / 255 / 12.92 if byte <= 10 else ((byte / 255 + 0.055) / 1.055) ** 2.4


def test_lightness_of_each_grey_is_that_of_cie_15() -> None:
    for byte in range(256):
        light = _light(byte)
        root = light ** (1 / 3) if light > 216 / 24389 else (24389 / 27 * light + 16) / 116
        assert statistics.lightness(_plain((byte, byte, byte))) == pytest.approx(116 * root - 16, abs=1e-6), byte


def test_middle_grey_has_half_the_lightness_of_white() -> None:
    assert statistics.lightness(_plain((119, 119, 119))) == pytest.approx(50.03, abs=0.01)


def test_lightness_averages_light_and_not_bytes() -> None:
    image = _plain((0, 0, 0))
    image[:4] = 255
    assert statistics.lightness(image) == pytest.approx(116 * 0.5 ** (1 / 3) - 16)  # 76, not 53


def test_lightness_takes_a_list_of_pixels() -> None:
    pixels = np.array([[255, 255, 255], [255, 255, 255]], np.uint8)
    assert statistics.lightness(pixels) == pytest.approx(100, abs=0.01)


def _srgb_of(x: float, y: float) -> RGB:
    """The brightest sRGB colour of a chromaticity."""
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    linear = np.linalg.inv([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ xyz
    linear = np.clip(linear / linear.max(), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (round(255 * float(value)) for value in encoded)
    return red, green, blue


@pytest.mark.parametrize(
    ("x", "y", "kelvin"),
    # CIE standard illuminants A, D50, D65 and D75: chromaticities and temperatures as published.
    [(0.44757, 0.40745, 2856), (0.34567, 0.35850, 5003), (0.31272, 0.32903, 6504), (0.29902, 0.31485, 7504)],
)
def test_standard_illuminants_have_their_published_temperatures(x: float, y: float, kelvin: int) -> None:
    found = statistics.colour_temperature(_plain(_srgb_of(x, y)))
    assert found == pytest.approx(kelvin, rel=0.01)


def _colour_temperature(colour: RGB) -> float | None:
    """McCamy's polynomial, of what lies near Krystek's locus of the black body in CIE 1960 (u, v)."""
    red, green, blue = map(_light, colour)
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    n = (x / (x + y + z) - 0.3320) / (0.1858 - y / (x + y + z))
    t = ((449 * n + 3525) * n + 6823.3) * n + 5520.33
    if not 1667 <= t <= 25_000:
        return None
    u = (0.860117757 + t * (1.54118254e-4 + t * 1.28641212e-7)) / (1 + t * (8.42420235e-4 + t * 7.08145163e-7))
    v = (0.317398726 + t * (4.22806245e-5 + t * 4.20481691e-8)) / (1 - t * (2.89741816e-5 - t * 1.61456053e-7))
    away = math.dist((4 * x / (x + 15 * y + 3 * z), 6 * y / (x + 15 * y + 3 * z)), (u, v))
    return t if away <= 0.05 else None


def test_every_colour_has_the_temperature_of_the_published_formulas_or_none() -> None:
    colours = np.random.default_rng(1).integers(40, 256, (1500, 3)).tolist()
    found = [statistics.colour_temperature(_plain((red, green, blue), 1)) for red, green, blue in colours]
    expected = [_colour_temperature((red, green, blue)) for red, green, blue in colours]
    assert 400 < found.count(None) < 1100
    np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=1e-9)  # None is NaN


def test_grey_of_any_brightness_is_daylight() -> None:
    for level in (20, 128, 255):
        assert statistics.colour_temperature(_plain((level, level, level))) == pytest.approx(6504, rel=0.005)


def test_what_is_no_light_has_no_temperature() -> None:
    for colour in ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255), (230, 60, 40)):
        assert statistics.colour_temperature(_plain(colour)) is None


def test_images_are_left_alone(photographs: list[NDArray[np.uint8]]) -> None:
    image = photographs[2].copy()
    for measure in (
        statistics.channel_means,
        statistics.contrast,
        statistics.saturation,
        statistics.sharpness,
        statistics.entropy,
        statistics.dominant_hue,
        statistics.lightness,
        statistics.colour_temperature,
    ):
        measure(image)
    np.testing.assert_array_equal(image, photographs[2])


@pytest.fixture
def two_tones() -> NDArray[np.uint8]:
    """The left half black-blue, the right half lighter."""
    image = np.zeros((90, 120, 3), np.uint8)
    image[:, :60] = (0, 0, 255)
    image[:, 60:] = (102, 102, 102)
    return image


def test_all_statistics_are_of_the_whole_image_channel_by_channel(two_tones: NDArray[np.uint8]) -> None:
    found = statistics.image_statistics(two_tones)
    assert tuple(found) == statistics.IMAGE_STATISTICS
    assert found["red_mean"] == found["green_mean"] == pytest.approx(0.2)
    assert found["blue_mean"] == pytest.approx(0.7)
    assert found["red_std"] == pytest.approx(0.2)
    assert found["blue_std"] == pytest.approx(0.3)
    assert found["brightness"] == pytest.approx((0.114 + 0.4) / 2)
    assert found["contrast"] == pytest.approx((0.4 - 0.114) / 2)
    assert found["saturation"] == pytest.approx(0.5)
    assert found["entropy"] == pytest.approx(1.0)
    assert found["colour_temperature"] is None, "that blue is no light"
    assert all(type(value) is float for name, value in found.items() if name != "colour_temperature")


def test_grey_has_the_temperature_of_daylight_and_nothing_else_to_tell() -> None:
    found = statistics.image_statistics(_plain((128, 128, 128)))
    assert found["colour_temperature"] == pytest.approx(6504, rel=0.01)
    assert found["entropy"] == found["sharpness"] == found["contrast"] == 0.0


def test_the_surround_of_a_fisheye_is_where_no_image_is_ever_lit() -> None:
    circle = np.hypot(*(np.indices((40, 60)) - np.array([20, 30])[:, np.newaxis, np.newaxis])) < 18
    rng = np.random.default_rng(0)
    streets = rng.integers(0, 256, (20, 40, 60, 3))
    images = [np.where(circle[..., np.newaxis], street, 5).astype(np.uint8) for street in streets]
    np.testing.assert_array_equal(statistics.ever_lit(images), circle)


def test_a_pixel_is_lit_where_one_of_the_images_or_one_of_their_channels_is() -> None:
    images = np.zeros((3, 1, 5, 3), np.uint8)
    images[0, 0, 0] = (200, 0, 0)
    images[1, 0, 1] = (0, 0, 9)
    images[2, 0, 2] = (0, 9, 0)
    images[2, 0, 3] = statistics.LEAST_LIGHT  # what is never brighter is dark
    given = images.copy()
    lit = statistics.ever_lit(iter(images))
    assert lit is not None
    assert lit.dtype == bool
    assert lit.tolist() == [[True, True, True, False, False]]
    np.testing.assert_array_equal(images, given)


def test_images_of_several_sizes_or_without_light_have_no_surround() -> None:
    assert statistics.ever_lit([_plain((9, 9, 9), 4), _plain((9, 9, 9), 5)]) is None
    assert statistics.ever_lit([_plain((8, 8, 8))]) is None
    assert statistics.ever_lit([]) is None


@pytest.mark.parametrize("kelvin", [2000.0, 3500.0, 5000.0, 6504.0, 9000.0])
def test_the_colour_of_a_black_body_has_its_temperature(kelvin: float) -> None:
    light = statistics.black_body_colour(kelvin)
    assert light @ [0.2126, 0.7152, 0.0722] == pytest.approx(1.0)
    linear = np.clip(light / light.max(), 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    found = statistics.colour_temperature(np.full((4, 4, 3), (encoded * 255).round(), np.uint8))
    assert found == pytest.approx(kelvin, rel=0.05)
