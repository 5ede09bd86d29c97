"""Typed, validated, frozen view of project_config.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct
from msgspec.structs import replace

from data_access.settings import load_settings
from tasks.detection import settings
from tasks.settings import Positive, Share, Size, Whole
from yolov7_foresight.camera import Camera

HERE = Path(__file__).resolve().parent


class Input(settings.Input, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the model is given."""

    height: Positive
    width: Positive

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


class SampleLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The most samples a state may hold; None takes all."""

    training: Positive | None = None
    validation: Positive | None = None
    unlabeled: Positive | None = None
    additional: Positive | None = None


class FineTuning(Struct, frozen=True, forbid_unknown_fields=True):
    """What differs from the recipe where a trained model is trained further."""

    epochs: Positive
    warmup_epochs: Whole
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


class ForesightConfig(settings.DetectionConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every tunable of the example."""

    input: Input
    sample_limit: SampleLimit
    fine_tuning: FineTuning
    cameras: dict[str, Camera]
    scenes: Scenes
    populations: dict[str, Population]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, population in self.populations.items():
            if population.camera not in self.cameras:
                raise ValueError(f"populations.{name}.camera must be one of {', '.join(self.cameras)}")
        if self.fine_tuning.warmup_epochs >= self.fine_tuning.epochs:
            raise ValueError("fine_tuning.warmup_epochs must be fewer than fine_tuning.epochs")

    def fine_tuned(self) -> Self:
        """The same with the recipe of fine-tuning."""
        changes = self.fine_tuning
        recipe = replace(
            self.training,
            epochs=changes.epochs,
            warmup_epochs=changes.warmup_epochs,
            learning_rate=changes.learning_rate,
        )
        return replace(self, training=recipe)


@lru_cache(maxsize=1)
def load_config() -> ForesightConfig:
    """The example's settings.

    Raises:
        data_access.errors.SettingsError: a key is missing, unknown or out of range.
    """
    return load_settings(HERE / "project_config.yaml", ForesightConfig)
