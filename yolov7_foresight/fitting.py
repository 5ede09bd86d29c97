"""A camera whose pictures have the light and the colours of a target's: what corrects a generated population."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from data_access.images import read_image
from data_access.sampling import limit
from vision import statistics
from yolov7_foresight.camera import DAYLIGHT, Camera

ROUNDS = 12
MOST_IMAGES = 64
"""Images of the target that are looked at."""
EXPONENT = 2.2
"""Values in pictures grow with about the 1/2.2th power of light."""


class Look(NamedTuple):
    """Averages over images.

    Attributes:
        brightness: mean luma, a share of 255.
        temperature: median colour temperature, in kelvin, of the images that have one.
        deviations: [3] standard deviations of red, green and blue, shares of 255.
    """

    brightness: float
    temperature: float
    deviations: NDArray[np.float64]


def look(images: Sequence[NDArray[np.uint8]]) -> Look:
    """Of images [H, W, 3] uint8, RGB, without the black surround of a lens; daylight where none has a temperature."""
    lit = statistics.ever_lit(images)
    if lit is not None:
        images = [image[lit][:, np.newaxis] for image in images]
    temperatures = [kelvin for image in images if (kelvin := statistics.colour_temperature(image)) is not None]
    return Look(
        float(np.mean([statistics.brightness(image) for image in images])),
        float(np.median(temperatures)) if temperatures else DAYLIGHT,
        np.mean([statistics.channel_deviations(image) for image in images], axis=0),
    )


def fit_camera(camera: Camera, scenes: Sequence[NDArray[np.uint8]], target: Sequence[Path], seed: int) -> Camera:
    """Fit exposure, colour temperature and spread, until pictures of the scenes look as the target's images do.

    Each round corrects the settings by what still differs. Lens, blur and noise stay.

    Args:
        scenes: images [H, W, 3] uint8, RGB, through the lens already.
        target: files of images.
        seed: of the choice among them, and of the noise.

    Raises:
        DataError: an image cannot be read.
    """
    # Drawn by name, so that the same images are drawn wherever they lie.
    by_name = {path.name: path for path in target}
    wanted = look([read_image(by_name[name]) for name in limit(list(by_name), MOST_IMAGES, seed)])
    spread = np.array(camera.spread)
    for _ in range(ROUNDS):
        rng = np.random.default_rng(seed)
        found = look([camera.develop(scene, rng) for scene in scenes])
        spread = np.clip(spread * wanted.deviations / np.maximum(found.deviations, 1e-6), 0.1, 10)
        # Reciprocal temperatures are what shifts evenly; half a step, because the scenes have colours of their own.
        reciprocal = 1 / camera.temperature + 0.7 * (1 / wanted.temperature - 1 / found.temperature)
        # Black frames have no brightness to divide by, on either side.
        brighter = float(np.log2(max(wanted.brightness, 1e-6) / max(found.brightness, 1e-6)))
        camera = replace(
            camera,
            exposure=camera.exposure + 0.8 * EXPONENT * brighter,
            temperature=float(np.clip(1 / max(reciprocal, 1e-9), 1000, 25000)),
            spread=tuple(spread.tolist()),
        )
    # Rounded, so that the same images give the same camera whatever computes them.
    return replace(
        camera,
        exposure=round(camera.exposure, 3),
        temperature=round(camera.temperature),
        spread=tuple(round(value, 3) for value in spread.tolist()),
    )
