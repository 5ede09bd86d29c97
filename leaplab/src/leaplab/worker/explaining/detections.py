"""The score of one detection, or of a class of them: as a visualizer tells them, or as rows of a YOLO export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import MissingError, QuestionError
from leaplab.protocol.description import Description, Node
from leaplab.protocol.explaining import DECODERS, Target
from leaplab.worker.batch import Batch
from leaplab.worker.model import Array, Feature

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

BOXES = "ImageWithBBox"
SAME = 0.5
"""IoU from which on two boxes of one label are the same detection."""
OVERLAPPING = 0.45
"""IoU from which on a row of a YOLO export is of the same object as a better one: ultralytics' own."""
LEAST = 0.05
"""Score from which on a row is a detection at all."""
Measure = Callable[[Batch, Sequence[Feature]], NDArray[np.float64]]


class Box(NamedTuple):
    """A detection: its corners, in one unit, its label and its confidence."""

    left: float
    top: float
    right: float
    bottom: float
    label: str
    confidence: float


def detection_target(integration: Integration, target: Target, sample: Batch) -> tuple[list[str], Measure, list[Node]]:
    """The target's name, what measures it, and the handlers that run for that.

    Raises:
        LeaplabError: nothing tells detections, there is no such one, or the decoder is none.
    """
    if not target.name.isdigit() or int(target.name) < 1:
        raise QuestionError(f"A detection has a number from 1 on, not '{target.name}'; write detection:1.")
    number = int(target.name)
    if target.decoder:
        return [f"detection:{number}"], _row_target(target, sample, number), []
    node = visualizer_of(integration.description)
    boxes = boxes_of(integration, node, sample, 0)
    if number > len(boxes):
        found = f"{len(boxes)} detections" if len(boxes) != 1 else "one detection"
        raise MissingError(f"There is no detection {number}: '{node.column}' shows {found} of '{sample.ids[0]}'.")
    wanted = boxes[number - 1]

    def measure(batch: Batch, _: Sequence[Feature]) -> NDArray[np.float64]:
        found = np.zeros(len(batch.ids))
        for row in range(len(found)):
            same = [
                box.confidence
                for box in boxes_of(integration, node, batch, row)
                if box.label == wanted.label and overlap(box, wanted) >= SAME
            ]
            found[row] = max(same, default=0.0)
        return found

    return [f"detection:{number}"], measure, [node]


def class_target(integration: Integration, label: str, sample: Batch) -> tuple[Measure, list[Node]] | None:
    """What measures how much of a class is detected, the sum of its confidences; None where no visualizer tells it.

    Raises:
        MissingError: the visualizer shows no box of that class.
    """
    try:
        node = visualizer_of(integration.description)
    except MissingError:
        return None
    shown = {box.label for box in boxes_of(integration, node, sample, 0)}
    if label not in shown:
        found = f"boxes of {', '.join(sorted(shown))}" if shown else "none at all"
        raise MissingError(
            f"'{node.column}' shows no box of '{label}' on '{sample.ids[0]}', but {found}; take another."
        )

    def measure(batch: Batch, _: Sequence[Feature]) -> NDArray[np.float64]:
        found = [boxes_of(integration, node, batch, row) for row in range(len(batch.ids))]
        return np.array([sum(box.confidence for box in each if box.label == label) for each in found], np.float64)

    return measure, [node]


def visualizer_of(description: Description) -> Node:
    """The first visualizer that draws boxes of predictions alone.

    Raises:
        MissingError: there is none.
    """
    for node in description.visualizers:
        kinds = {source.kind for source in node.arguments.values()}
        if node.type == BOXES and "prediction" in kinds and "ground_truth" not in kinds:
            return node
    raise MissingError(
        "No visualizer of the integration draws the boxes of predictions alone (ImageWithBBox), which tells its"
        " detections; name the layout of the output by --decoder yolo."
    )


def boxes_of(integration: Integration, node: Node, batch: Batch, row: int) -> list[Box]:
    """What the visualizer draws of one row of a batch, in its own order."""
    one = Batch(
        batch.state,
        [batch.ids[row]],
        {name: array[row : row + 1] for name, array in batch.inputs.items()},
        {name: array[row : row + 1] for name, array in batch.ground_truths.items()},
        [None if array is None else array[row : row + 1] for array in batch.predictions],
    )
    arguments = one.arguments(node)
    if arguments is None:
        return []
    drawn = integration.run_visualizer(node, batch.state, batch.ids[row], arguments)
    return [_box(each) for each in drawn.bounding_boxes]


def _box(drawn: Any) -> Box:
    x, y, width, height = (float(each) for each in (drawn.x, drawn.y, drawn.width, drawn.height))
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Box(*corners, str(drawn.label), float(drawn.confidence))


def overlap(one: Box, other: Box) -> float:
    """IoU of two boxes; 0 where both are empty."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(each.right - each.left) * (each.bottom - each.top) for each in (one, other)]
    union = sum(areas) - both
    return both / union if union > 0 else 0.0


def _row_target(target: Target, sample: Batch, number: int) -> Measure:
    """The score of the row that the K-th detection is of, which changes smoothly."""
    if target.decoder not in DECODERS:
        raise QuestionError(f"There is no decoder '{target.decoder}'; there is {', '.join(DECODERS)}.")
    place = next((place for place, each in enumerate(sample.predictions) if each is not None and each.ndim == 3), None)
    if place is None:
        raise QuestionError("--decoder yolo reads an output [rows, 5 + classes] or [4 + classes, rows]; there is none.")
    output = sample.predictions[place]
    assert output is not None
    rows, has_objectness = _rows(output)
    masks = _mask_numbers(sample, rows.shape[2])
    scores = _scores(rows, has_objectness, masks)[0]
    kept = _kept(rows[0, :, :4], scores)
    if number > len(kept):
        raise MissingError(
            f"There is no detection {number}: {len(kept)} rows score {LEAST:g} or more, each its own object."
        )
    row = kept[number - 1]
    kind = int(np.argmax(scores[row]))

    def measure(batch: Batch, _: Sequence[Feature]) -> NDArray[np.float64]:
        found = batch.predictions[place]
        assert found is not None
        return _scores(_rows(found)[0], has_objectness, masks)[:, row, kind]

    return measure


def _rows(output: Array) -> tuple[NDArray[np.float64], bool]:
    """[B, R, C] of either layout, and whether its fifth number says that there is an object at all.

    YOLOv5 to v7 export rows of x, y, width, height, objectness and the classes; v8 and later columns of x, y, width,
    height and the classes.
    """
    values = np.asarray(output, np.float64)
    is_turned = values.shape[1] < values.shape[2]
    return (np.swapaxes(values, 1, 2), False) if is_turned else (values, True)


def _mask_numbers(sample: Batch, width: int) -> int:
    """How many numbers behind the classes tell a mask: as many as there are prototypes, in an output of four axes."""
    for output in sample.predictions:
        if output is not None and output.ndim == 4:
            count = min(output.shape[1], output.shape[3])
            return int(count) if count + 4 < width else 0
    return 0


def _scores(rows: NDArray[np.float64], has_objectness: bool, masks: int) -> NDArray[np.float64]:
    """[B, R, classes]."""
    rows = rows[:, :, : rows.shape[2] - masks]
    if not has_objectness:
        return rows[:, :, 4:]
    classes = rows[:, :, 5:]
    return rows[:, :, 4:5] * (classes if classes.shape[2] else 1.0)


def _kept(centred: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """Rows that are detections, best first, each without those of its class that overlap it."""
    best, kinds = scores.max(axis=1), scores.argmax(axis=1)
    order = [int(row) for row in np.argsort(-best, kind="stable") if best[row] >= LEAST]
    kept: list[Box] = []
    rows: list[int] = []
    for row in order:
        x, y, width, height = centred[row]
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        box = Box(*corners, str(kinds[row]), float(best[row]))
        if all(each.label != box.label or overlap(each, box) <= OVERLAPPING for each in kept):
            kept.append(box)
            rows.append(row)
    return rows
