"""The settings that any detector has, as an example's project_config.yaml gives them."""

from typing import Annotated

from msgspec import Meta, Struct

from tasks.detection.augmentation import Augmentation
from tasks.detection.grid import Grid

Positive = Annotated[int, Meta(ge=1)]
Size = Annotated[float, Meta(gt=0)]
Anchor = tuple[Size, Size]
Weight = Annotated[float, Meta(ge=0)]


class Detector(Struct, frozen=True, forbid_unknown_fields=True):
    """The grid of the model's output: a stride and its anchors a level, the finest level first."""

    strides: Annotated[tuple[Positive, ...], Meta(min_length=1)]
    anchors: Annotated[tuple[Annotated[tuple[Anchor, ...], Meta(min_length=1)], ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.anchors):
            raise ValueError(f"strides ({len(self.strides)}) and anchors ({len(self.anchors)}) must be as many levels")
        if len({len(level) for level in self.anchors}) > 1:
            raise ValueError("every level of anchors must have as many as the first")

    def grid(self, height: int, width: int) -> Grid:
        """What the rows of the model's output stand for, of an input of this size in pixels."""
        return Grid(height, width, self.strides, self.anchors)


class LossWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the losses in their sum."""

    box: Weight
    objectness: Weight
    classes: Weight

    @property
    def in_order(self) -> tuple[float, float, float]:
        """As `tasks.detection.losses.DetectionLosses` has them."""
        return self.box, self.objectness, self.classes


class Training(Struct, frozen=True, forbid_unknown_fields=True):
    """The recipe of train.py; `width` is a factor on the channels of the published net."""

    width: Size
    epochs: Positive
    warmup_epochs: Annotated[int, Meta(ge=0)]
    batch_size: Positive
    learning_rate: Size
    weight_decay: Weight
    augmentation: Augmentation

    def __post_init__(self) -> None:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs ({self.warmup_epochs}) must be fewer than epochs ({self.epochs})")
