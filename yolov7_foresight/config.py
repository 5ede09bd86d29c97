"""Typed, validated, frozen view of project_config.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from data_access.settings import load_settings
from tasks.detection.decode import Decoding
from tasks.detection.grid import Grid
from tasks.detection.metrics import Rules
from tasks.detection.settings import Detector, LossWeights, Positive, Size, Training
from yolov7_foresight.camera import Camera

HERE = Path(__file__).resolve().parent

Share = Annotated[float, Meta(ge=0, le=1)]
Label = Annotated[str, Meta(min_length=1)]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model is given."""

    height: Positive
    width: Positive
    layout: Literal["NHWC", "NCHW"]
    most_objects: Positive

    @property
    def channel_dim(self) -> int:
        """The axis of the channels, counted without the batch from the end or, for NCHW, with it from the front."""
        return -1 if self.layout == "NHWC" else 1


class SampleLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The most samples a state may hold; None takes all."""

    training: Positive | None = None
    validation: Positive | None = None
    unlabeled: Positive | None = None
    additional: Positive | None = None


class FineTuning(Struct, frozen=True, forbid_unknown_fields=True):
    """What differs from the recipe where a trained model is trained further."""

    epochs: Annotated[int, Meta(ge=2)]
    learning_rate: Size


class Scenes(Struct, frozen=True, forbid_unknown_fields=True):
    """How generated scenes are drawn, and which of their objects count; see `yolov7_foresight.street`."""

    width: Positive
    height: Positive
    crowd: Size
    least_visible: Share
    least_side: Positive
    jpeg_quality: Annotated[int, Meta(ge=1, le=100)]


class Population(Struct, frozen=True, forbid_unknown_fields=True):
    """A generated population: how many images a part, what took them, and when.

    `dusk` is the range of the hour, 0 daylight to 1 night. `fitted_to` names a population to whose images the camera's
    exposure, colour temperature and spread are fitted.
    """

    parts: dict[Literal["train", "val", ""], Positive]
    camera: str
    dusk: tuple[Share, Share]
    labelled: bool
    fitted_to: str | None = None


class ForesightConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Every tunable of the example."""

    labels: Annotated[tuple[Label, ...], Meta(min_length=1)]
    model: str
    seed: int
    input: Input
    sample_limit: SampleLimit
    detector: Detector
    decoding: Decoding
    matching_iou: Annotated[float, Meta(gt=0, le=1)]
    loss_weights: LossWeights
    training: Training
    fine_tuning: FineTuning
    cameras: dict[str, Camera]
    scenes: Scenes
    populations: dict[str, Population]

    def __post_init__(self) -> None:
        for name, population in self.populations.items():
            if population.camera not in self.cameras:
                raise ValueError(f"populations.{name}.camera must be one of {', '.join(self.cameras)}")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("labels must differ from each other")
        coarsest = max(self.detector.strides)
        if self.input.height % coarsest or self.input.width % coarsest:
            raise ValueError(f"input.height and input.width must be multiples of the largest stride, {coarsest}")

    @property
    def grid(self) -> Grid:
        """What the rows of the model's output stand for."""
        return self.detector.grid(self.input.height, self.input.width)

    @property
    def rules(self) -> Rules:
        """How the model's output is read and matched."""
        return Rules(self.labels, self.decoding, self.matching_iou, self.input.height, self.input.width)

    @property
    def model_path(self) -> Path:
        """The model file, absolute."""
        return HERE.parent / self.model


@lru_cache(maxsize=1)
def load_config() -> ForesightConfig:
    """The example's settings.

    Raises:
        data_access.errors.SettingsError: a key is missing, unknown or out of range.
    """
    return load_settings(HERE / "project_config.yaml", ForesightConfig)
