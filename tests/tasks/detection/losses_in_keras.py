"""Assignment and losses in Keras on the shipped grids, beside what they must be: `python -m tests.tasks...`.

A process has one backend of Keras, that of KERAS_BACKEND. Prints JSON: for each name, what was found and what is
expected, by numpy's losses and by the published assignment.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tasks.detection.grid import Grid
from tasks.detection.ground_truth import unpadded
from tasks.detection.keras_loss import DetectionLoss, assign_rows, detection_losses
from tasks.detection.losses import detection_losses as reference
from tasks.segmentation.keras_loss import SegmenterInTraining, mask_loss
from tasks.segmentation.losses import segmentation_losses
from tests.tasks.detection import published
from tests.tasks.detection.on_a_grid import ARMBENCH, FORESIGHT, frames
from vision.boxes import Boxes

MODES: dict[str, dict[str, dict[str, Any]]] = {
    "tensorflow": {"eager": {"run_eagerly": True}, "graph": {"jit_compile": False}, "jit": {"jit_compile": True}},
    "jax": {"eager": {"run_eagerly": True}, "jit": {"jit_compile": True}},
    "torch": {"eager": {"run_eagerly": True}},
}
"""How a model of each backend is compiled."""
WEIGHTS = (0.15, 0.7, 0.3, 0.3)
FRAMES, AT_ONCE = 14, 7
"""The last of them is empty."""
PROTOTYPES = 8

Array = NDArray[Any]


class Applied(keras.Model):  # type: ignore[misc]
    """A function of arrays as a model, to be compiled like one."""

    def __init__(self, function: Callable[..., Any], how: dict[str, Any]) -> None:
        super().__init__()
        self.function = function
        self.compile(**how)

    def call(self, inputs: Any) -> Any:
        """What the function makes of them."""
        return self.function(*inputs)

    def of(self, *arrays: Array) -> Any:
        """Of so many frames at once."""
        return self.predict(arrays, batch_size=AT_ONCE, verbose=0)


class Shifted(keras.layers.Layer):  # type: ignore[misc]
    """Something to train: its input and a number for each place, at first 0."""

    def build(self, shape: Any) -> None:
        """Adds the numbers."""
        self.shift = self.add_weight(shape=shape[1:], initializer="zeros")

    def call(self, x: Any) -> Any:
        """The sum."""
        return x + self.shift[None]


def as_logits(prediction: Array, last: int) -> Array:
    """What the trained net gives in the place of the probabilities, which end before a column."""
    logits = prediction.copy()
    chances = prediction[..., 4:last].astype(np.float64)
    logits[..., 4:last] = np.log(chances) - np.log1p(-chances)
    return logits


def detection(grid: Grid, classes: int, most: int) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The assignment and the losses of each frame, and the loss that a training tells; found and expected."""
    truth, prediction = frames(0, grid, classes, FRAMES, most)
    logits = as_logits(prediction, 5 + classes)
    assignments = published_pairs(truth, prediction, grid, classes)
    expected = reference(truth, prediction, grid, classes)

    def everything(ground_truth: Any, predicted: Any) -> Any:
        assigned = assign_rows(ground_truth, predicted, grid, classes)
        return [*assigned, ops.stack(detection_losses(ground_truth, predicted, grid, classes, assigned), axis=-1)]

    inputs = keras.Input(logits.shape[1:])
    model = keras.Model(inputs, Shifted()(inputs))
    for mode, how in MODES[keras.backend.backend()].items():
        *assigned, losses = Applied(everything, how).of(truth, logits)
        model.compile("sgd", DetectionLoss(grid, classes, WEIGHTS[:3]), **how)
        yield f"{mode}: assignment", (pairs(assigned), assignments)
        yield f"{mode}: losses", (losses.tolist(), np.stack(expected, axis=1).tolist())
        yield f"{mode}: training", (loss_told(model, logits, truth), float(expected.total(WEIGHTS[:3]).mean()))


def segmentation(grid: Grid, classes: int, most: int) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Likewise, with masks."""
    truth, detections = frames(1, grid, classes, FRAMES, most)
    rng = np.random.default_rng(1)
    coefficients = rng.normal(0, 1, (*detections.shape[:2], PROTOTYPES)).astype(np.float32)
    prediction = np.concatenate([detections, coefficients], axis=-1)
    rows, columns = grid.height // 4, grid.width // 4
    prototypes = rng.normal(0, 1, (FRAMES, PROTOTYPES, rows, columns)).astype(np.float32)
    masks = (rng.random((FRAMES, most, rows, columns)) < 0.5).astype(np.float32)
    logits = as_logits(prediction, 5 + classes)
    assignments = published_pairs(truth, detections, grid, classes)
    expected = segmentation_losses(truth, masks, prediction, prototypes, grid, classes)

    def everything(ground_truth: Any, of_objects: Any, predicted: Any, sums: Any) -> Any:
        assigned = assign_rows(ground_truth, predicted, grid, classes)
        losses = detection_losses(ground_truth, predicted, grid, classes, assigned)
        of_masks = mask_loss(ground_truth, of_objects, predicted, sums, grid, assigned)
        return [*assigned, ops.stack([*losses, of_masks], axis=-1)]

    inputs = [keras.Input(logits.shape[1:]), keras.Input(prototypes.shape[1:])]
    net = keras.Model(inputs, [Shifted()(each) for each in inputs])
    for mode, how in MODES[keras.backend.backend()].items():
        *assigned, losses = Applied(everything, how).of(truth, masks, logits, prototypes)
        model = SegmenterInTraining(net, grid, classes, WEIGHTS)
        model.compile("sgd", **how)
        told = loss_told(model, [logits, prototypes], (truth, masks))
        yield f"{mode}: assignment", (pairs(assigned), assignments)
        yield f"{mode}: losses", (losses.tolist(), np.stack(expected, axis=1).tolist())
        yield f"{mode}: training", (told, float(expected.total(WEIGHTS).mean()))


def pairs(assigned: Any) -> list[list[list[int]]]:
    """[row, object] of all that is assigned, of each frame."""
    return [
        [[int(row), int(owner)] for row, owner, is_assigned in zip(*sample, strict=True) if is_assigned]
        for sample in zip(*assigned, strict=True)
    ]


def published_pairs(truth: Array, prediction: Array, grid: Grid, classes: int) -> list[list[tuple[int, int]]]:
    """Likewise, of the published procedure."""
    objects = [unpadded(rows, grid.height, grid.width) for rows in truth]
    return [
        published.assignment(
            Boxes(each.edges).centre_and_size().tolist(), each.classes.tolist(), rows.tolist(), grid, classes
        )
        for each, rows in zip(objects, prediction, strict=True)
    ]


def loss_told(model: keras.Model, x: Any, y: Any) -> float:
    """By the first step of a training, on all frames; it puts the weights back."""
    before = model.get_weights()
    told = float(model.fit(x, y, batch_size=FRAMES, epochs=1, verbose=0).history["loss"][0])
    model.set_weights(before)
    return told


def main() -> None:
    """Every way in which models of this backend are compiled, on both grids."""
    report = {f"foresight, {name}": both for name, both in detection(FORESIGHT, 3, most=10)}
    # As many rows of the ground truth as there are anchors, so that an axis may be taken for the other.
    report |= {f"armbench, {name}": both for name, both in segmentation(ARMBENCH, 2, most=3)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
