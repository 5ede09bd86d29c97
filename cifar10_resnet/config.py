"""Typed, validated, frozen view of project_config.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from data_access.download import RemoteFile
from data_access.settings import load_settings
from tasks.settings import ExampleConfig, Positive, Recipe, Share

HERE = Path(__file__).resolve().parent

ClassName = Literal["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


class Split(Struct, frozen=True, forbid_unknown_fields=True):
    """Which shares of each class of the official training images are not for training."""

    validation_share: Annotated[float, Meta(gt=0, lt=0.5)]
    unlabeled_share: Annotated[float, Meta(gt=0, lt=0.5)]


class SampleLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The most samples a state may hold; None takes all."""

    training: Positive | None = None
    validation: Positive | None = None
    test: Positive | None = None
    unlabeled: Positive | None = None


class Metadata(Struct, frozen=True, forbid_unknown_fields=True):
    """How object and background are told apart, and colour from the lack of it."""

    border: Annotated[int, Meta(ge=1, le=15)]
    least_chroma: Share


class Training(Recipe, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recipe of train.py."""

    width: Positive
    momentum: Annotated[float, Meta(ge=0, lt=1)]
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)]
    max_shift: Annotated[int, Meta(ge=0, le=16)]
    mirrored: Share
    cutout: Annotated[int, Meta(ge=0, le=32)]


class Cifar10Config(ExampleConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every tunable of the example."""

    labels: Annotated[tuple[ClassName, ...], Meta(min_length=10, max_length=10)]
    vehicles: frozenset[ClassName]
    flyers: frozenset[ClassName]
    split: Split
    sample_limit: SampleLimit
    metadata: Metadata
    download: RemoteFile
    training: Training


@lru_cache(maxsize=1)
def load_config() -> Cifar10Config:
    """The example's settings.

    Raises:
        data_access.errors.SettingsError: a key is missing, unknown or out of range.
    """
    return load_settings(HERE / "project_config.yaml", Cifar10Config)
