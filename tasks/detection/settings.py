"""The settings that any detector has, as an example's project_config.yaml gives them."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tasks.detection.augmentation import Augmentation
from tasks.detection.decode import Decoding
from tasks.detection.grid import Grid
from tasks.detection.metrics import Rules
from tasks.settings import ExampleConfig, Positive, Recipe, Size, Weight

Anchor = tuple[Size, Size]


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


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model is given; how large it is, each example says in its own way."""

    layout: Literal["NHWC", "NCHW"]
    most_objects: Positive

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        raise NotImplementedError

    @property
    def channel_dim(self) -> int:
        """The axis of the channels, counted without the batch from the end or, for NCHW, with it from the front."""
        return -1 if self.layout == "NHWC" else 1


class LossWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the losses in their sum."""

    box: Weight
    objectness: Weight
    classes: Weight

    @property
    def in_order(self) -> tuple[float, ...]:
        """As `tasks.detection.losses.DetectionLosses` has them."""
        return self.box, self.objectness, self.classes


class Training(Recipe, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recipe of train.py.

    Attributes:
        width: factor on the channels of the published net.
        clipnorm: the greatest norm of the gradient of a weight.
        precision_every: epochs between two looks at the average precision.
        augmentation: of each batch.
    """

    width: Size
    clipnorm: Size
    precision_every: Positive
    augmentation: Augmentation


class DetectionConfig(ExampleConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the config of a detector holds.

    Attributes:
        matching_iou: a detection finds an object of its class that it overlaps by at least this much.
    """

    input: Input
    detector: Detector
    decoding: Decoding
    matching_iou: Annotated[float, Meta(gt=0, le=1)]
    loss_weights: LossWeights
    training: Training

    def __post_init__(self) -> None:
        super().__post_init__()
        coarsest = max(self.detector.strides)
        if any(side % coarsest for side in self.input.shape):
            raise ValueError(f"the input's height and width must be multiples of the largest stride, {coarsest}")

    @property
    def grid(self) -> Grid:
        """What the rows of the model's output stand for."""
        return self.detector.grid(*self.input.shape)

    @property
    def rules(self) -> Rules:
        """How the model's output is read and matched."""
        return Rules(self.labels, self.decoding, self.matching_iou, *self.input.shape)
