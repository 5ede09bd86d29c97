"""A street, taken by a camera."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from yolov7_foresight.camera import Camera
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.street import render, visible_objects


def take(
    rng: np.random.Generator, config: ForesightConfig, camera: Camera, dusk: float
) -> tuple[NDArray[np.uint8], Objects]:
    """A picture [H, W, 3] uint8, RGB, of a new street, and the objects that it shows, in its pixels.

    Args:
        dusk: 0 daylight to 1 night.
    """
    settings = config.scenes
    scene = render(rng, settings.width, settings.height, dusk, settings.crowd)
    instances = camera.warp_instances(scene.instances)
    # The lens enlarges some and shrinks others: an object's whole area as well as what is seen of it.
    before, after = (
        np.bincount(numbers.ravel(), minlength=len(scene.classes) + 1)[1:] for numbers in (scene.instances, instances)
    )
    scene = replace(
        scene,
        image=camera.warp(scene.image),
        instances=instances,
        whole_areas=scene.whole_areas * after / np.maximum(before, 1),
    )
    return camera.develop(scene.image, rng), visible_objects(scene, settings.least_visible, settings.least_side)
