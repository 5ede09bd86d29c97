"""Statistics of colour images: what a person calls bright, grey, warm or blurred, as one number each.

Every function takes uint8, RGB, in [H, W, 3], or [..., 3] where neighbours play no part; values count as shares of 255.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.pixels import LINEAR_LIGHT

_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue in luma: ITU-R BT.601-7, section 2.5.1."""

_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Linear sRGB to CIE XYZ under D65: IEC 61966-2-1."""

COLOUR_TEMPERATURES = (1_667.0, 25_000.0)
"""Kelvin: between glowing embers and the bluest sky; outside, the formula means little."""

WHITE_DISTANCE = 0.05
"""In CIE 1960 (u, v): farther from the black body, a colour has no correlated temperature (CIE 15)."""

_HUE_NAMES = ("red", "orange", "yellow", "green", "cyan", "blue", "magenta")
_HUE_STARTS = (0.0, 15.0, 45.0, 70.0, 165.0, 190.0, 260.0, 345.0)
"""Degrees at which each of the names begins; from the last on it is red again."""


_CHANNELS = ("red", "green", "blue")
IMAGE_STATISTICS = (
    "brightness",
    "contrast",
    "saturation",
    "sharpness",
    "colour_temperature",
    "entropy",
    *(f"{channel}_{value}" for value in ("mean", "std") for channel in _CHANNELS),
)
"""The keys of `image_statistics`."""

LEAST_LIGHT = 8
"""Of 255: what is never brighter shows no scene."""


def image_statistics(image: NDArray[np.uint8]) -> dict[str, float | None]:
    """Statistics of the whole image, [H, W, 3] uint8, RGB, by the names of the functions of this module.

    Returns:
        Shares of 255, but `colour_temperature` in kelvin, None where the colour has none, and `entropy` in bits.
    """
    means, deviations = channel_means(image), channel_deviations(image)
    return {
        "brightness": brightness(image),
        "contrast": contrast(image),
        "saturation": saturation(image),
        "sharpness": sharpness(image),
        "colour_temperature": colour_temperature(image),
        "entropy": entropy(image),
        **{f"{channel}_mean": value for channel, value in zip(_CHANNELS, means, strict=True)},
        **{f"{channel}_std": value for channel, value in zip(_CHANNELS, deviations, strict=True)},
    }


def ever_lit(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.bool_] | None:
    """[H, W]: where some of the images is brighter than `LEAST_LIGHT`: not the black surround of a fisheye's circle.

    Returns:
        None where the images differ in size, or none is bright anywhere.
    """
    brightest: NDArray[np.uint8] | None = None
    for image in images:
        own = np.asarray(image.max(axis=-1), np.uint8)
        if brightest is None:
            brightest = own
        elif brightest.shape != own.shape:
            return None
        else:
            np.maximum(brightest, own, out=brightest)
    if brightest is None or not (brightest > LEAST_LIGHT).any():
        return None
    return np.asarray(brightest > LEAST_LIGHT)


def luma(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[H, W] float64 in [0, 1]: perceived brightness of gamma-encoded RGB (ITU-R BT.601)."""
    return np.asarray(image @ (_WEIGHTS / 255.0), np.float64)


def channel_means(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Means of red, green and blue, in [0, 1]."""
    red, green, blue = (_shares(image) @ _UNIT).tolist()
    return red, green, blue


def channel_deviations(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Population standard deviations of red, green and blue, in [0, 0.5]."""
    shares = _shares(image)
    distances = _UNIT - (shares @ _UNIT)[:, np.newaxis]
    red, green, blue = np.sqrt((shares * distances**2).sum(axis=1)).tolist()
    return red, green, blue


def brightness(image: NDArray[np.uint8]) -> float:
    """Mean luma, in [0, 1]."""
    return float(luma(image).mean())


def contrast(image: NDArray[np.uint8]) -> float:
    """Root-mean-square contrast: the population standard deviation of the luma, in [0, 0.5].

    Peli, "Contrast in complex images", JOSA A 7(10), 1990, equation 4.
    """
    return float(luma(image).std())


def saturation(image: NDArray[np.uint8]) -> float:
    """Mean saturation of the HSV model, (max - min) / max, in [0, 1]; black has none."""
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]  # far faster than along an axis of three
    highest = np.maximum(np.maximum(red, green), blue).astype(np.float64)
    lowest = np.minimum(np.minimum(red, green), blue)
    return float(np.divide(highest - lowest, highest, out=np.zeros_like(highest), where=highest > 0).mean())


def sharpness(image: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the luma, in shares of 255 squared; 0 for a flat image, small for a blurred one.

    The measure LAPV of Pertuz et al., "Analysis of focus measure operators", Pattern Recognition 46(5), 2013, with the
    4-neighbour Laplacian. It grows with noise too, and is comparable only between images of one size.
    """
    return float(cv2.Laplacian(luma(image), cv2.CV_64F, borderType=cv2.BORDER_REFLECT_101).var())


def entropy(image: NDArray[np.uint8]) -> float:
    """Bits that a pixel's luma carries, in [0, 8]: 0 for a flat image, 8 where all 256 levels are equally frequent.

    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27(3), 1948, section 6, of the
    histogram of the luma in whole 255ths. It looks at no neighbours: a shuffled image has the same.
    """
    levels = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    shares = np.bincount(levels.ravel(), minlength=256) / levels.size
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum()) + 0.0  # a flat image has 0, not -0


def dominant_hue(image: NDArray[np.uint8], least_chroma: float = 0.02) -> float | None:
    """The hue that most of the colour has, in degrees, [0, 360): red 0, green 120, blue 240.

    Each pixel votes with its chroma for one of 36 hues of 10 degrees; the answer is the mean hue within the three
    neighbouring ones that hold most, so that red does not fall apart at 360. Hue and chroma are angle and length in the
    plane onto which the RGB cube is projected along its grey axis: Hanbury and Serra, "Colour image analysis in
    3D-polar coordinates", DAGM 2003; against the hexagon of HSV the angle differs by at most 1.2 degrees.

    Args:
        least_chroma: of all pixels on average, in [0, 1]; below it the image has no hue.

    Returns:
        None where there is too little colour.
    """
    red, green, blue = (image.reshape(-1, 3) / 255.0).T
    along, across = red - (green + blue) / 2.0, np.sqrt(3.0) / 2.0 * (green - blue)
    chroma = np.hypot(along, across)
    if chroma.mean() < least_chroma:
        return None
    sector = (np.degrees(np.arctan2(across, along)) // 10.0).astype(int) % 36
    votes = np.bincount(sector, chroma, 36)
    peak = int((votes + np.roll(votes, 1) + np.roll(votes, -1)).argmax())
    chosen = np.isin(sector, [(peak - 1) % 36, peak, (peak + 1) % 36])
    return float(np.degrees(np.arctan2(across[chosen].sum(), along[chosen].sum())) % 360.0)


def hue_name(hue: float) -> str:
    """The everyday name of a hue in degrees: red, orange, yellow, green, cyan, blue or magenta."""
    position = int(np.searchsorted(_HUE_STARTS, hue % 360.0, side="right")) - 1
    return _HUE_NAMES[position % len(_HUE_NAMES)]


def lightness(image: NDArray[np.uint8]) -> float:
    """CIE L* of the mean linear luminance, in [0, 100]: 0 black, 100 white, and equal steps look equal."""
    luminance = float(_mean_light(image) @ _TO_XYZ[1])
    return 116.0 * luminance ** (1 / 3) - 16.0 if luminance > (6 / 29) ** 3 else luminance * (29 / 3) ** 3


def colour_temperature(image: NDArray[np.uint8]) -> float | None:
    """Correlated colour temperature of the mean colour, in kelvin: candlelight 1,900, daylight 6,500, blue sky more.

    McCamy, "Correlated color temperature as an explicit function of chromaticity coordinates", Color Research &
    Application 17(2), 1992. None for black, and for what is no shade of white: outside `COLOUR_TEMPERATURES`, or more
    than `WHITE_DISTANCE` from the black body of that temperature.
    """
    x, y, z = _TO_XYZ @ _mean_light(image)
    total = x + y + z
    if total <= 0:
        return None
    offset = 0.1858 - y / total
    if abs(offset) < 1e-9:
        return None
    n = (x / total - 0.3320) / offset
    kelvin = float(449.0 * n**3 + 3525.0 * n**2 + 6823.3 * n + 5520.33)
    if not COLOUR_TEMPERATURES[0] <= kelvin <= COLOUR_TEMPERATURES[1]:
        return None
    scale = x + 15.0 * y + 3.0 * z
    body_u, body_v = _black_body(kelvin)
    return kelvin if np.hypot(4.0 * x / scale - body_u, 6.0 * y / scale - body_v) <= WHITE_DISTANCE else None


def black_body_colour(kelvin: float) -> NDArray[np.float64]:
    """[3] linear sRGB of a black body's light, of luminance 1; may lie outside the colours that sRGB has.

    Args:
        kelvin: from 1,000 to 15,000, for which the formula of the locus was made; usable to 25,000.
    """
    u, v = _black_body(kelvin)
    x, y = 3 * u / (2 * u - 8 * v + 4), 2 * v / (2 * u - 8 * v + 4)
    return np.asarray(np.linalg.solve(_TO_XYZ, np.array([x / y, 1.0, (1 - x - y) / y])))


def _black_body(kelvin: float) -> tuple[float, float]:
    """CIE 1960 (u, v) of a black body: Krystek, Color Research & Application 10(1), 1985."""
    u = (0.860117757 + 1.54118254e-4 * kelvin + 1.28641212e-7 * kelvin**2) / (
        1.0 + 8.42420235e-4 * kelvin + 7.08145163e-7 * kelvin**2
    )
    v = (0.317398726 + 4.22806245e-5 * kelvin + 4.20481691e-8 * kelvin**2) / (
        1.0 - 2.89741816e-5 * kelvin + 1.61456053e-7 * kelvin**2
    )
    return u, v


def _mean_light(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[3] means of the light that the pixels stand for, in [0, 1]: the inverse of sRGB's transfer function.

    IEC 61966-2-1.
    """
    return np.asarray(_shares(image) @ LINEAR_LIGHT, np.float64)


def _shares(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[3, 256]: of all pixels, those that have a value, by channel."""
    pixels = image.reshape(-1, 3)
    return np.stack([np.bincount(pixels[:, channel], minlength=256) for channel in range(3)]) / len(pixels)


_UNIT = np.arange(256) / 255.0
