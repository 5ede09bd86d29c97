"""Fitting an image of any size into a fixed one without distorting it, and boxes there and back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.boxes import Boxes

FILL = 114
"""Grey of the border: what the published YOLO nets were trained with."""


@dataclass(frozen=True)
class Letterbox:
    """The largest copy of an image of `source` size that fits into `target`, in its middle.

    Attributes:
        source: width and height of the image, in pixels.
        target: width and height of what it is fitted into.
    """

    source: tuple[int, int]
    target: tuple[int, int]

    def __post_init__(self) -> None:
        if min(*self.source, *self.target) < 1:
            raise ValueError(f"Sizes must be at least 1 pixel, got {self.source} and {self.target}.")

    @property
    def inner(self) -> tuple[int, int]:
        """Width and height of the copy, in whole pixels and at least 1."""
        scale = min(self.target[0] / self.source[0], self.target[1] / self.source[1])
        width, height = (max(1, round(side * scale)) for side in self.source)
        return width, height

    @property
    def offset(self) -> tuple[int, int]:
        """Left and top border, in pixels; where the border is odd, the right and lower ones are a pixel wider."""
        return (self.target[0] - self.inner[0]) // 2, (self.target[1] - self.inner[1]) // 2

    def image(self, image: NDArray[np.uint8], fill: int = FILL) -> NDArray[np.uint8]:
        """[H, W] or [H, W, channels] uint8 of the source's size -> that of the target's.

        Shrunk by area, so that nothing thinner than a pixel drops out; enlarged bilinearly.

        Raises:
            ValueError: the image has another size.
        """
        if image.shape[:2] != self.source[::-1]:
            raise ValueError(f"The image is {image.shape[1]} x {image.shape[0]}, not {self.source}.")
        (width, height), (left, top) = self.inner, self.offset
        shape = (self.target[1], self.target[0], *image.shape[2:])
        fitted = np.full(shape, fill, np.uint8)
        window = fitted[top : top + height, left : left + width]
        if (width, height) == self.source:
            window[:] = image
        else:
            shrinks = width < self.source[0] or height < self.source[1]
            resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
            window[:] = resized.reshape(window.shape)
        return fitted

    def boxes(self, boxes: Boxes) -> Boxes:
        """From pixels of the source to pixels of the target."""
        return Boxes(boxes.edges * self._scale + self._shift)

    def restore(self, boxes: Boxes) -> Boxes:
        """From pixels of the target to pixels of the source, inverse to `boxes`; the border is outside."""
        return Boxes((boxes.edges - self._shift) / self._scale)

    @property
    def _scale(self) -> NDArray[np.float64]:
        # The copy has whole pixels, so the two sides are not scaled by quite the same.
        return np.tile(np.divide(self.inner, self.source), 2)

    @property
    def _shift(self) -> NDArray[np.float64]:
        return np.tile(np.array(self.offset, np.float64), 2)
