"""A picture under way: flat shapes in space, drawn through a pinhole camera from the far to the near.

Axes, in metres: x to the right, y up from the ground, z ahead of the camera. Drawn at `OVERSAMPLING` times the size.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

OVERSAMPLING = 2
BACKGROUND = 0
"""The number of what is no object."""

Colour = tuple[float, float, float]
Point = tuple[float, float, float]


class Canvas:
    """Image, lights and instances of a scene under way, at the size of drawing."""

    def __init__(self, width: int, height: int, horizon: float, focal: float, camera_height: float) -> None:
        self.width, self.height = width * OVERSAMPLING, height * OVERSAMPLING
        self.horizon, self.focal = horizon * OVERSAMPLING, focal * OVERSAMPLING
        self.camera_height = camera_height
        self.image = np.zeros((self.height, self.width, 3), np.uint8)
        self.lights = np.zeros((self.height, self.width, 3), np.uint8)
        self.instances = np.zeros((self.height, self.width), np.int32)
        self.number = BACKGROUND

    def project(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """[P, 2] pixels of points in space; what is nearer than half a metre is taken to be there."""
        space = np.asarray(points, np.float64)
        depth = np.maximum(space[:, 2], 0.5)
        x = self.width / 2 + self.focal * space[:, 0] / depth
        y = self.horizon + self.focal * (self.camera_height - space[:, 1]) / depth
        return np.stack([x, y], axis=1)

    def polygon(self, pixels: NDArray[np.float64], colour: Colour) -> None:
        """Fill a polygon with a colour, RGB in 0..255."""
        points = [np.clip(pixels, -30000, 30000).round().astype(np.int32)]
        cv2.fillPoly(self.image, points, colour)
        cv2.fillPoly(self.instances, points, self.number)
        cv2.fillPoly(self.lights, points, (0, 0, 0))

    def face(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon in space."""
        self.polygon(self.project(points), colour)

    def stroke(self, start: Point, end: Point, thickness: float, colour: Colour) -> None:
        """A line in space with round ends, `thickness` metres thick where it starts."""
        pixels = self.project([start, end])
        across = max(1, round(self.focal * thickness / max(start[2], 0.5)))
        first, last = (tuple(int(value) for value in np.clip(end, -9000, 9000).round()) for end in pixels)
        cv2.line(self.image, first, last, colour, across)
        cv2.line(self.instances, first, last, self.number, across)
        cv2.line(self.lights, first, last, (0, 0, 0), across)

    def disc(self, centre: Point, radius_x: float, radius_y: float, colour: Colour, ring: float = 0.0) -> None:
        """An upright ellipse in space that faces the camera, or a ring `ring` metres thick."""
        (pixel,) = self.project([centre])
        scale = self.focal / max(centre[2], 0.5)
        middle = tuple(int(value) for value in np.clip(pixel, -9000, 9000).round())
        axes = (max(1, round(radius_x * scale)), max(1, round(radius_y * scale)))
        thickness = max(1, round(ring * scale)) if ring else -1
        cv2.ellipse(self.image, middle, axes, 0, 0, 360, colour, thickness)
        cv2.ellipse(self.instances, middle, axes, 0, 0, 360, self.number, thickness)
        cv2.ellipse(self.lights, middle, axes, 0, 0, 360, (0, 0, 0), thickness)

    def light(self, centre: Point, radius: float, colour: Colour) -> None:
        """A lamp: it shines at dusk, and is drawn on what carries it."""
        (pixel,) = self.project([centre])
        across = max(1, round(radius * self.focal / max(centre[2], 0.5)))
        middle = tuple(int(value) for value in np.clip(pixel, -9000, 9000).round())
        cv2.circle(self.image, middle, across, colour, -1)
        cv2.circle(self.lights, middle, across, colour, -1)


def shade(colour: Colour, factor: float) -> Colour:
    """A darker or brighter colour."""
    red, green, blue = (float(np.clip(value * factor, 0, 255)) for value in colour)
    return red, green, blue
