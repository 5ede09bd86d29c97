"""Typed, validated, frozen view of project_config.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from data_access.settings import load_settings
from tasks.detection import settings
from tasks.settings import Positive, Share, Text, Weight

HERE = Path(__file__).resolve().parent

MASK_STRIDE = 4
"""Pixels of the input to a pixel of the masks, each way: the layout of YOLOv5-seg's export."""


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the images of a state lie, relative to the dataset's folder."""

    annotations: Text
    images: Text


class Dataset(Struct, frozen=True, forbid_unknown_fields=True):
    """Which COCO dataset is read, and what its categories are called here."""

    folder: Text
    training: Part
    validation: Part
    unlabeled: Part
    categories: Annotated[dict[str, str | None], Meta(min_length=1)]
    crowd_is_instance: bool


class Input(settings.Input, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the model is given."""

    size: Annotated[int, Meta(ge=32, multiple_of=32)]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.size, self.size

    @property
    def mask_size(self) -> int:
        """Width and height of the masks, in their pixels."""
        return self.size // MASK_STRIDE


class SampleLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The most samples a state may hold; None takes all."""

    training: Positive | None = None
    validation: Positive | None = None
    unlabeled: Positive | None = None


class LossWeights(settings.LossWeights, frozen=True, forbid_unknown_fields=True):
    """Of the losses in their sum."""

    masks: Weight

    @property
    def in_order(self) -> tuple[float, ...]:
        """As `tasks.segmentation.losses.SegmentationLosses` has them."""
        return self.box, self.objectness, self.classes, self.masks


class Training(settings.Training, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recipe of train.py.

    Attributes:
        finer_masks: how much finer the masks are that are zoomed in training, so that their outlines stay smooth.
    """

    finer_masks: Positive


class Metadata(Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as a tote, as small, as twice the same, and which colours totes have."""

    container: str | None
    tote_hues: Annotated[dict[Text, Annotated[float, Meta(ge=0, lt=360)]], Meta(min_length=1)]
    small_share: Share
    duplicate_iou: Annotated[float, Meta(gt=0, le=1)]
    least_chroma: Share


class Generator(Struct, frozen=True, forbid_unknown_fields=True):
    """The generated totes: how large, how many, how full."""

    width: Annotated[int, Meta(ge=64)]
    height: Annotated[int, Meta(ge=64)]
    training: Positive
    validation: Positive
    unlabeled: Positive
    mean_objects: Annotated[float, Meta(gt=0, le=30)]
    jpeg_quality: Annotated[int, Meta(ge=1, le=100)]


class ArmbenchConfig(settings.DetectionConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every tunable of the example."""

    dataset: Dataset
    input: Input
    sample_limit: SampleLimit
    metadata: Metadata
    prototypes: Positive
    loss_weights: LossWeights
    training: Training
    generator: Generator

    def __post_init__(self) -> None:
        super().__post_init__()
        for category, label in self.dataset.categories.items():
            if label is not None and label not in self.labels:
                raise ValueError(f"dataset.categories maps {category!r} to {label!r}, which is none of the labels")
        if self.metadata.container is not None and self.metadata.container not in self.labels:
            raise ValueError(f"metadata.container is {self.metadata.container!r}, which is none of the labels")

    @property
    def classes(self) -> dict[str, int | None]:
        """Name of a category of the dataset -> class index; None for one that is left out."""
        return {
            category: None if label is None else self.labels.index(label)
            for category, label in self.dataset.categories.items()
        }

    @property
    def container(self) -> int | None:
        """The class index of `metadata.container`."""
        return None if self.metadata.container is None else self.labels.index(self.metadata.container)


@lru_cache(maxsize=1)
def load_config() -> ArmbenchConfig:
    """The example's settings.

    Raises:
        data_access.errors.SettingsError: a key is missing, unknown or out of range.
    """
    return load_settings(HERE / "project_config.yaml", ArmbenchConfig)
