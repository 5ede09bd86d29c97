"""The assignment of YOLOv7 as published, read proposal by proposal and pair by pair.

Of `find_3_positive` and `build_targets` of ComputeLossOTA, utils/loss.py, at
https://github.com/WongKinYiu/yolov7/tree/026134cbd7a13cbba9e1addbbf57c32103cbb0d7, with one thing settled that
it leaves to torch: of equal costs the first one counts.
"""

import math
from collections.abc import Sequence

from tasks.detection.grid import Grid

Box = Sequence[float]
"""Centre x, centre y, width, height in pixels of the input."""


def pool(boxes: Sequence[Box], grid: Grid) -> list[int]:
    """Rows of the output, each as often as it is proposed."""
    rows, first = [], 0
    for stride, anchors in zip(grid.strides, grid.anchors, strict=True):
        columns, lines = grid.width // stride, grid.height // stride
        for side in ("own", "left", "above", "right", "below"):
            for anchor, (anchor_width, anchor_height) in enumerate(anchors):
                for x, y, width, height in boxes:
                    ratios = (width / anchor_width, height / anchor_height)
                    if max(max(ratio, 1 / ratio) for ratio in ratios) >= 4:
                        continue
                    place = cell(side, x / stride, y / stride, columns, lines)
                    if place is not None:
                        rows.append(first + (anchor * lines + place[1]) * columns + place[0])
        first += len(anchors) * columns * lines
    return rows


def cell(side: str, x: float, y: float, columns: int, lines: int) -> tuple[int, int] | None:
    """The cell that a centre proposes on a side of its own, or None; all in cells."""
    to_edge = {"own": math.inf, "left": x, "above": y, "right": columns - x, "below": lines - y}[side]
    if side != "own" and not (to_edge % 1 < 0.5 and to_edge > 1):
        return None
    dx, dy = {"own": (0, 0), "left": (-0.5, 0), "above": (0, -0.5), "right": (0.5, 0), "below": (0, 0.5)}[side]
    return min(max(int(x + dx), 0), columns - 1), min(max(int(y + dy), 0), lines - 1)


def assignment(
    boxes: Sequence[Box], labels: Sequence[int], prediction: Sequence[Sequence[float]], grid: Grid, classes: int
) -> list[tuple[int, int]]:
    """(row, object) of each candidate that is assigned, in the order of the pool."""
    rows = pool(boxes, grid)
    cost, claims = [], [list[int]() for _ in rows]
    for number, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        overlaps = [overlap(box, prediction[row][:4]) for row in rows]
        cost.append(
            [
                entropy(prediction[row][4:], label, classes) - 3 * math.log(shared + 1e-8)
                for row, shared in zip(rows, overlaps, strict=True)
            ]
        )
        wanted = max(1, int(sum(sorted(overlaps, reverse=True)[:10])))
        for place in sorted(range(len(rows)), key=cost[number].__getitem__)[:wanted]:
            claims[place].append(number)
    pairs = []
    for place, numbers in enumerate(claims):
        # Contested, a candidate goes to the cheapest of all objects, not only of those that claim it.
        if len(numbers) > 1:
            numbers = [min(range(len(boxes)), key=lambda number: cost[number][place])]
        pairs += [(rows[place], number) for number in numbers]
    return pairs


def overlap(one: Box, other: Box) -> float:
    """IoU."""
    width, height = (
        max(
            0.0,
            min(one[axis] + one[axis + 2] / 2, other[axis] + other[axis + 2] / 2)
            - max(one[axis] - one[axis + 2] / 2, other[axis] - other[axis + 2] / 2),
        )
        for axis in (0, 1)
    )
    shared = width * height
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def entropy(chances: Sequence[float], label: int, classes: int) -> float:
    """Of the class, from objectness and classes."""
    joint = [math.sqrt(chances[0] * chances[1 + number]) for number in range(classes)]
    return -sum(math.log(chance if number == label else 1 - chance) for number, chance in enumerate(joint))
