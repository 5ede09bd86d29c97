"""Typed, validated, frozen view of project_config.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from data_access.download import RemoteFile
from data_access.settings import load_settings
from tasks.settings import ExampleConfig, Positive, Recipe, Share, Text

HERE = Path(__file__).resolve().parent

Digit = Annotated[int, Meta(ge=0, le=9)]


class SampleLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The most samples a state may hold; None takes all."""

    training: Positive | None = None
    validation: Positive | None = None


class Metadata(Struct, frozen=True, forbid_unknown_fields=True):
    """How ink and holes are told from the background."""

    ink_threshold: Share
    min_hole_area: Positive


class Training(Recipe, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recipe of train.py."""

    label_smoothing: Annotated[float, Meta(ge=0, lt=1)]
    dropout: Annotated[float, Meta(ge=0, lt=1)]
    monitored: Positive
    max_shift: Annotated[int, Meta(ge=0, le=14)]
    max_rotation: Annotated[float, Meta(ge=0, le=45)]
    max_zoom: Annotated[float, Meta(ge=0, lt=1)]


class MnistConfig(ExampleConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every tunable of the example."""

    labels: Annotated[tuple[Text, ...], Meta(min_length=10, max_length=10)]
    looped_digits: frozenset[Digit]
    sample_limit: SampleLimit
    metadata: Metadata
    download: RemoteFile
    training: Training


@lru_cache(maxsize=1)
def load_config() -> MnistConfig:
    """The example's settings.

    Raises:
        data_access.errors.SettingsError: a key is missing, unknown or out of range.
    """
    return load_settings(HERE / "project_config.yaml", MnistConfig)
