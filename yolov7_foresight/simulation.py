"""Frames made on demand: a new street, and a camera whose settings are the parameters.

A simulation is tuned until what it makes is like a target. So the streets of a seed stay the same streets whatever the
parameters are: what differs between two settings is the settings' doing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from yolov7_foresight.camera import DAYLIGHT, Camera
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.data.preprocess import SimulatedFrames
from yolov7_foresight.photographs import take

ORIGIN = "cognata"
"""The population of what is simulated."""


class Parameter(NamedTuple):
    """What a parameter may be, both ends included, and the value that changes nothing."""

    lowest: float
    highest: float
    default: float


PARAMETERS = {
    "fisheye": Parameter(0.0, 1.0, 0.0),
    "exposure": Parameter(-2.0, 2.0, 0.0),
    "temperature": Parameter(3_000.0, 12_000.0, DAYLIGHT),
    "red_spread": Parameter(0.5, 2.0, 1.0),
    "noise": Parameter(0.0, 0.06, 0.0),
    "blur": Parameter(0.0, 2.0, 0.0),
    "dusk": Parameter(0.0, 1.0, 0.0),
}
"""By name, in their order: settings of `camera.Camera`, `red_spread` the first of its `spread`, and the hour, 0
daylight to 1 night."""

BOUNDS = {
    name: {"type": "float", "bounds": {"min": parameter.lowest, "max": parameter.highest}}
    for name, parameter in PARAMETERS.items()
}
"""The parameters as Tensorleap is told of them."""


def simulate(
    count: int,
    seed: int,
    config: ForesightConfig,
    *,
    fisheye: float,
    exposure: float,
    temperature: float,
    red_spread: float,
    noise: float,
    blur: float,
    dusk: float,
) -> list[tuple[NDArray[np.uint8], Objects]]:
    """Pictures [H, W, 3] uint8, RGB, of the settings' size, each with the objects that it shows, in its pixels.

    The same arguments give the same pictures, and the first of more are those of fewer.

    Args:
        seed: at least 0; decides what the streets hold.

    Raises:
        ValueError: there is nothing to make, the seed is negative, or a parameter is outside its bounds.
    """
    if count < 1:
        raise ValueError(f"A simulation makes at least 1 frame, not {count}.")
    if seed < 0:
        raise ValueError(f"A seed is at least 0, not {seed}.")
    given = (fisheye, exposure, temperature, red_spread, noise, blur, dusk)
    for (name, parameter), value in zip(PARAMETERS.items(), given, strict=True):
        if not parameter.lowest <= value <= parameter.highest:
            raise ValueError(f"{name} must be between {parameter.lowest:g} and {parameter.highest:g}, got {value:g}.")
    camera = Camera(
        fisheye=fisheye,
        exposure=exposure,
        temperature=temperature,
        spread=(red_spread, 1.0, 1.0),
        blur=blur,
        noise=noise,
    )
    # Apart from the streets of the written populations, whose streams begin with the config's seed and their names.
    streams = (np.random.default_rng((seed, *b"simulation", index)) for index in range(count))
    return [take(rng, config, camera, dusk) for rng in streams]


def simulated_frames(count: int, seed: int, config: ForesightConfig, **settings: float) -> SimulatedFrames:
    """The pictures of `simulate` as frames of an origin of their own, which know what they were made with."""
    pictures = simulate(count, seed, config, **settings)
    return SimulatedFrames(
        ORIGIN,
        tuple(f"{ORIGIN}/{seed}_{number:05d}" for number in range(count)),
        [picture for picture, _ in pictures],
        [objects for _, objects in pictures],
        settings,
    )
