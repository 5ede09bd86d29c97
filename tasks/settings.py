"""The settings that every example has, as its project_config.yaml gives them."""

from pathlib import Path
from typing import Annotated, Self

from msgspec import Meta, Struct
from msgspec.structs import replace

ROOT = Path(__file__).resolve().parents[1]
"""Of the repository, or of what was pushed of it."""

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1)]
Whole = Annotated[int, Meta(ge=0)]
Size = Annotated[float, Meta(gt=0)]
Weight = Annotated[float, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
ModelFile = Annotated[str, Meta(pattern=r"\.(onnx|h5)$")]


class Recipe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a model is trained, whatever it does.

    Attributes:
        epochs: with those of the warm-up.
        warmup_epochs: in which the learning rate rises to its peak.
        cosine_overrun: epochs by which the cosine, on which the rate then falls to 0, outlasts the training.
        batch_size: of the last batch, what is left.
        learning_rate: at its peak.
        weight_decay: decoupled from the gradient.
    """

    epochs: Positive
    warmup_epochs: Whole
    cosine_overrun: Whole = 0
    batch_size: Positive
    learning_rate: Size
    weight_decay: Weight

    def __post_init__(self) -> None:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs ({self.warmup_epochs}) must be fewer than epochs ({self.epochs})")

    def lasting(self, epochs: int) -> Self:
        """The same over another number of epochs, at least 1; the warm-up leaves one of them."""
        return replace(self, epochs=epochs, warmup_epochs=min(self.warmup_epochs, epochs - 1))


class ExampleConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the config of an example holds, whatever its task.

    Attributes:
        labels: of the classes, in the order of their indices.
        model: the model file, relative to `ROOT`.
        seed: of every random choice.
        training: the recipe of train.py.
    """

    labels: Annotated[tuple[Text, ...], Meta(min_length=1)]
    model: ModelFile
    seed: int
    training: Recipe

    def __post_init__(self) -> None:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("labels must differ from each other")

    @property
    def model_path(self) -> Path:
        """The model file, absolute."""
        return ROOT / self.model
