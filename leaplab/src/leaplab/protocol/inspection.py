"""One sample under the loupe: its tensors in figures, its values, and what its visualizers returned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SampleOrder:
    """A sample by its state and the text of its id."""

    state: str
    sample_id: str


@dataclass(frozen=True)
class Visual:
    """What a visualizer returned, free of code-loader's classes.

    Attributes:
        name: the visualizer's unique name.
        type: the LeapDataType's value.
        fields: the Leap* object's fields, nested dataclasses as dictionaries.
        error: a sentence where the visualizer failed; then there are no fields.
    """

    name: str
    type: str
    fields: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Shown:
    """What the visualizers show of a sample.

    Attributes:
        visuals: what each returned, in the integration's order.
        input_hash: of all inputs as they are now, by the formula of the column `input.hash`; None without inputs.
    """

    visuals: list[Visual]
    input_hash: str | None


@dataclass(frozen=True)
class Mask:
    """Where an element instance lies in its sample.

    Attributes:
        number: of the instance.
        box: left, top, right and bottom, in shares of the mask's width and height.
        inside: [h, w] bool, the mask made small: true where it covers half of a cell or more.
        size: width and height of the mask itself.
    """

    number: int
    box: tuple[float, float, float, float]
    inside: NDArray[np.bool_]
    size: tuple[int, int]


@dataclass(frozen=True)
class Tensor:
    """An array that a sample has on its way, in figures. Range and mean are None where nothing is finite."""

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    minimum: float | None
    maximum: float | None
    mean: float | None


@dataclass(frozen=True)
class Inspection:
    """Everything about one sample.

    Attributes:
        tensors: inputs, ground truths and predictions, without the batch axis.
        metadata: column -> value, None where absent.
        scores: column of a loss or metric -> value.
        visuals: what the visualizers returned.
        instances: number, name, mask_share, metadata.KEY and metric.COLUMN of each element instance.
    """

    state: str
    sample_id: str
    tensors: list[Tensor]
    metadata: dict[str, Any]
    scores: dict[str, float | None]
    visuals: list[Visual]
    instances: list[dict[str, Any]] = field(default_factory=list)
