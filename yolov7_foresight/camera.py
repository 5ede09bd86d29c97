"""A camera, as far as it changes what a picture of the same scene looks like.

In the order in which light goes through one: the lens bends the view; exposure and white balance scale linear light, of
which less arrives in the corners; the sensor's channels differ in gain and spread; then come gamma, blur and noise.
"""

from functools import lru_cache
from typing import Annotated

import cv2
import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from vision.pixels import LINEAR_LIGHT
from vision.statistics import black_body_colour

Image = NDArray[np.uint8]
OUTLINE = 33
"""Points on each side of a box that are followed through the lens."""
DAYLIGHT = 6504.0
"""Kelvin: the white that an sRGB picture is made for (D65)."""


Share = Annotated[float, Meta(ge=0, le=1)]
Amount = Annotated[float, Meta(ge=0)]
Factor = Annotated[float, Meta(gt=0)]
Kelvin = Annotated[float, Meta(ge=1000, le=25000)]
Channels = tuple[Factor, Factor, Factor]


class Camera(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a camera; the defaults change nothing.

    Attributes:
        fisheye: strength of the lens, in [0, 1]: radii r, in units of half the diagonal, become (1 + fisheye) r / (1 +
            fisheye r^2), so that the middle is magnified, the corners stay, and straight lines bow outwards. The
            division model of Fitzgibbon, "Simultaneous linear estimation of multiple view geometry and lens
            distortion", CVPR 2001, equation 6. Above 1 the corners would fold over.
        vignette: share of light lost in the corners.
        exposure: in stops: 1 doubles linear light.
        temperature: of the light on the scene, in kelvin, for a camera balanced for `DAYLIGHT`: lower is more orange.
        gain: factor on linear light, red, green and blue.
        spread: factor on the standard deviation of each channel about its mean, red, green and blue.
        gamma: exponent on the values in [0, 1]; above 1 is darker.
        blur: standard deviation of a Gaussian in pixels.
        noise: standard deviation as a share of 255.
    """

    fisheye: Share = 0.0
    vignette: Share = 0.0
    exposure: float = 0.0
    temperature: Kelvin = DAYLIGHT
    gain: Channels = (1.0, 1.0, 1.0)
    spread: Channels = (1.0, 1.0, 1.0)
    gamma: Factor = 1.0
    blur: Amount = 0.0
    noise: Amount = 0.0

    def __post_init__(self) -> None:
        # Annotations are checked where settings are read, not where a camera is made.
        shares, amounts = (self.fisheye, self.vignette), (self.blur, self.noise)
        if min(*shares, *amounts) < 0 or max(shares) > 1 or self.gamma <= 0:
            raise ValueError(f"{self}: fisheye and vignette are in [0, 1], gamma above 0, blur and noise at least 0")
        if not 1000 <= self.temperature <= 25000:
            raise ValueError(f"a colour temperature is between 1,000 and 25,000 K, not {self.temperature:g}")

    def warp(self, image: Image) -> Image:
        """[H, W, 3] uint8 through the lens, as large as before and without a black border."""
        if self.fisheye == 0:
            return image
        height, width = image.shape[:2]
        return np.asarray(cv2.remap(image, *_sources(self.fisheye, width, height), cv2.INTER_LINEAR), np.uint8)

    def warp_instances(self, instances: NDArray[np.int32]) -> NDArray[np.int32]:
        """[H, W] numbers of objects through the lens, each pixel its nearest."""
        if self.fisheye == 0:
            return instances
        height, width = instances.shape
        x, y = _sources(self.fisheye, width, height)
        return np.asarray(instances[y.round().astype(int), x.round().astype(int)])

    def transport(self, edges: NDArray[np.floating], width: int, height: int) -> NDArray[np.float64]:
        """Boxes [N, 4] of a scene -> boxes around what the picture shows of them; empty ones for what it does not show.

        The lens cuts parts of the scene's sides off: what of a box lies there does not count.
        """
        along = np.linspace(0, 1, OUTLINE)
        x1, y1, x2, y2 = (edges[:, column, np.newaxis].astype(np.float64) for column in range(4))
        across, down = x1 + (x2 - x1) * along, y1 + (y2 - y1) * along
        sides = ((across, y1), (across, y2), (x1, down), (x2, down))
        outline = np.concatenate([np.stack(np.broadcast_arrays(x, y), axis=-1) for x, y in sides], axis=1)
        seen = self.forward(outline, width, height)
        size = np.array([width, height], np.float64)
        shown = ((seen >= 0) & (seen <= size)).all(axis=-1)
        # Where an outline leaves the picture, what is shown of the box ends at the picture's border.
        border = _border(width, height)
        source = self.backward(border, width, height)
        within = ((source >= edges[:, np.newaxis, :2]) & (source <= edges[:, np.newaxis, 2:])).all(axis=-1)
        points = np.concatenate([seen, np.broadcast_to(border, (len(edges), *border.shape))], axis=1)
        kept = np.concatenate([shown, within], axis=1)[..., np.newaxis]
        lower, upper = np.where(kept, points, np.inf).min(axis=1), np.where(kept, points, -np.inf).max(axis=1)
        elsewhere = np.clip(seen.mean(axis=1), 0, size)
        nothing = ~kept.any(axis=1)
        return np.concatenate([np.where(nothing, elsewhere, lower), np.where(nothing, elsewhere, upper)], axis=1)

    def forward(self, points: NDArray[np.floating], width: int, height: int) -> NDArray[np.float64]:
        """[..., 2] places (x, y) of a scene in pixels -> where the lens shows them."""
        half = np.hypot(width, height) / 2
        centre = np.array([width, height]) / 2
        offset = (points - centre) / half
        squared = (offset**2).sum(axis=-1, keepdims=True)
        return np.asarray(centre + half * offset / (1 + self.fisheye * squared) / _zoom(self.fisheye))

    def backward(self, points: NDArray[np.floating], width: int, height: int) -> NDArray[np.float64]:
        """The inverse of `forward`, for places inside the picture."""
        half = np.hypot(width, height) / 2
        centre = np.array([width, height]) / 2
        offset = (points - centre) / half * _zoom(self.fisheye)
        radius = np.sqrt((offset**2).sum(axis=-1, keepdims=True))
        # r / (1 + k r^2) = s, solved for r: the smaller root, written so that k = 0 gives s.
        root = np.sqrt(np.maximum(1 - 4 * self.fisheye * radius**2, 0))
        return np.asarray(centre + half * offset * 2 / (1 + root))

    def develop(self, image: Image, rng: np.random.Generator) -> Image:
        """[H, W, 3] uint8, RGB, as the sensor gives it; `rng` makes the noise."""
        if self._is_plain:
            return image
        height, width = image.shape[:2]
        light = black_body_colour(self.temperature) / black_body_colour(DAYLIGHT)
        factor = 2.0**self.exposure * np.maximum(light, 0) * np.array(self.gain)
        value = _LINEAR[image] * factor.astype(np.float32)
        if self.vignette:
            value *= 1 - self.vignette * _squared_radius(width, height)[..., np.newaxis]
        value = _encoded(value)
        if self.spread != (1.0, 1.0, 1.0):
            mean = value.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
            value = mean + (value - mean) * np.array(self.spread, np.float32)
        if self.gamma != 1:
            value = np.clip(value, 0, 1) ** np.float32(self.gamma)
        if self.blur:
            value = np.asarray(cv2.GaussianBlur(value, (0, 0), self.blur))
        if self.noise:
            value = value + rng.normal(0, self.noise, value.shape).astype(np.float32)
        return np.asarray(np.clip(value * 255, 0, 255).round(), np.uint8)

    @property
    def _is_plain(self) -> bool:
        return replace(self, fisheye=0.0) == Camera()


def _border(width: int, height: int) -> NDArray[np.float64]:
    """[P, 2] points around a picture, a pixel apart."""
    x, y = np.arange(width + 1.0), np.arange(height + 1.0)
    sides = ((x, 0.0), (x, float(height)), (0.0, y), (float(width), y))
    return np.concatenate([np.stack(np.broadcast_arrays(one, other), axis=-1) for one, other in sides])


def _zoom(fisheye: float) -> float:
    """What radii are divided by after they were bent: the corners of the scene end in the corners of the picture."""
    return 1 / (1 + fisheye)


@lru_cache(maxsize=8)
def _sources(fisheye: float, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel of the picture comes from, as whole numbers at the pixels' centres."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    source = Camera(fisheye=fisheye).backward(np.stack([x, y], axis=-1), width, height) - 0.5
    return (
        np.clip(source[..., 0], 0, width - 1).astype(np.float32),
        np.clip(source[..., 1], 0, height - 1).astype(np.float32),
    )


@lru_cache(maxsize=8)
def _squared_radius(width: int, height: int) -> NDArray[np.float32]:
    """[H, W]: 0 in the middle, 1 in the corners."""
    x, y = np.meshgrid((np.arange(width) + 0.5) * 2 / width - 1, (np.arange(height) + 0.5) * 2 / height - 1)
    return np.asarray((x**2 + y**2) / 2, np.float32)


_LINEAR = LINEAR_LIGHT.astype(np.float32)


def _encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB's transfer function (IEC 61966-2-1); light above 1 is clipped."""
    value = np.clip(linear, 0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055).astype(np.float32)
