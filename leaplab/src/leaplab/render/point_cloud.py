"""LeapPointCloud."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from leaplab.errors import LeaplabError
from leaplab.render.axes import Axes, padded
from leaplab.render.canvas import GAP, MARGIN, ROW, blank, cut, grid, numbers, plural, printable, width_of, write
from leaplab.render.colours import INK, LINE, MUTED, Colour, label_colours, scalar_colours
from leaplab.render.legend import Entry, below
from leaplab.render.names import Name, write_names

# What runs to the right, what upwards, what towards the viewer, and on which side of the last he stands.
VIEWS = (("top", 0, 1, 2, 1.0), ("side", 0, 2, 1, -1.0), ("front", 1, 2, 0, 1.0))
AXES = "xyz"
LONGEST, SHORTEST = 520, 64
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 24, 44
MOST_BOXES = 300
FEW_POINTS = 5000
# Corners by the signs of length, width and height; the first four are the bottom, the edge 0-1 is the front's.
SIGNS = np.array([(1, 1, -1), (1, -1, -1), (-1, -1, -1), (-1, 1, -1), (1, 1, 1), (1, -1, 1), (-1, -1, 1), (-1, 1, 1)])
EDGES = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)]


@dataclass(frozen=True)
class Box:
    """A box's corners [8, 3] in the frame of the points."""

    corners: NDArray[np.float64]
    label: str
    confidence: float
    is_ground_truth: bool


def draw_point_cloud(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`points` [N, 3] from the top (x, y), the side (x, z) and the front (y, z), all in one scale.

    Points are coloured by `intensity` [N], else by their height. Boxes are drawn in their label's colour, ground truth
    dashed; the side that is their front has a line from their middle. Where a few points lie far off the others, the
    views leave them out and say so.

    Raises:
        LeaplabError: there is no finite point.
    """
    points = numbers(fields["points"], "The point cloud")
    if points.ndim != 2 or points.shape[1:] != (3,) or not np.isfinite(points).all() or not len(points):
        raise LeaplabError(f"Points of shape {points.shape} cannot be drawn; return finite [N, 3], N at least 1.")
    boxes = [_read(box) for box in fields.get("bounding_boxes") or []]
    boxes.sort(key=lambda box: -box.confidence)
    shown = boxes[:MOST_BOXES]
    low, high = _bounds(points, shown)
    kept = ((points >= low) & (points <= high)).all(axis=1)
    values = points[:, 2] if fields.get("intensity") is None else numbers(fields["intensity"], "The intensity")
    ends = np.percentile(values[kept], (1, 99))
    colours = scalar_colours(np.clip((values - ends[0]) / max(ends[1] - ends[0], 1e-30), 0, 1))
    labels = label_colours(box.label for box in boxes)

    scale = LONGEST / float((high - low).max())
    panels = [_view(view, points[kept], colours[kept], shown, labels, (low, high), scale) for view in VIEWS]
    # Thin side views lie under the top view; high ones beside each other.
    views = grid(panels, 2) if panels[1].height > panels[0].height / 2 else _stacked(panels)
    sheet, draw = blank(views.width, views.height + ROW + MARGIN)
    sheet.paste(views, (0, 0))
    what = "height z" if fields.get("intensity") is None else "intensity"
    _scalar_bar(sheet, draw, views.height, what, (float(ends[0]), float(ends[1])))

    counts = Counter(box.label for box in boxes)
    legend = [Entry(f"{cut(label, 160)} ({count:,})", labels[label]) for label, count in counts.most_common()]
    notes = [f"{len(shown)} of {plural(len(boxes), 'box')} drawn: the most confident."] if boxes[MOST_BOXES:] else []
    if any(box.is_ground_truth for box in shown):
        notes.append("Dashed: ground truth.")
    if not kept.all():
        notes.append(f"{(~kept).sum():,} of {plural(len(points), 'point')} lie outside the views.")
    beyond = sum(bool(((box.corners < low) | (box.corners > high)).any()) for box in shown)
    if beyond:
        notes.append(f"{plural(beyond, 'box')} wholly or partly outside the views.")
    return below(sheet, legend, notes), {}


def _read(box: dict[str, Any]) -> Box:
    half = SIGNS / 2 * (float(box["length"]), float(box["width"]), float(box["height"]))
    cosine, sine = np.cos(float(box["yaw"])), np.sin(float(box["yaw"]))
    turned = half @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    corners = turned + np.array([float(box[axis]) for axis in AXES])
    return Box(corners, printable(box["label"]), float(box["confidence"]), bool(box["is_ground_truth"]))


def _bounds(points: NDArray[np.float64], boxes: list[Box]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner of what is shown: all points and boxes, less what lies far off the middle 99%."""
    inner = np.percentile(points, (0.5, 99.5), axis=0)
    # Against a flat or dotted cloud: an axis counts as at least a tenth of the longest.
    room = np.maximum(inner[1] - inner[0], (inner[1] - inner[0]).max() / 10)
    room = np.where(room > 0, room, np.maximum(np.abs(inner[0]), 1.0))
    near = (inner[0] - 2 * room, inner[1] + 2 * room)
    everything = np.concatenate([points, *(box.corners for box in boxes)])
    within = everything[((everything >= near[0]) & (everything <= near[1])).all(axis=1)]
    if not len(within):
        within = inner
    ranges = [padded(float(within[:, axis].min()), float(within[:, axis].max()), 0.03) for axis in range(3)]
    return np.array([low for low, _ in ranges]), np.array([high for _, high in ranges])


def _view(
    view: tuple[str, int, int, int, float],
    points: NDArray[np.float64],
    colours: NDArray[np.uint8],
    boxes: list[Box],
    labels: dict[str, Colour],
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    scale: float,
) -> Image.Image:
    name, right, up, depth, nearer = view
    axes = axes_of(bounds, right, up, scale)
    panel, draw = blank(LEFT + axes.width + RIGHT, TOP + axes.height + BOTTOM)
    write(draw, (MARGIN, 10), f"{name}: {AXES[right]} to the right, {AXES[up]} up", INK)
    axes.draw(draw)
    # The nearest last, so that they cover those behind them.
    order = np.argsort(nearer * points[:, depth], kind="stable")
    columns = np.floor(axes.x(points[order, right])).astype(int)
    rows = np.floor(axes.y(points[order, up])).astype(int)
    pixels = np.asarray(panel).copy()
    for down, across in [(0, 0), (0, 1), (1, 0), (1, 1)] if len(points) <= FEW_POINTS else [(0, 0)]:
        row, column = np.clip(rows + down, 0, panel.height - 1), np.clip(columns + across, 0, panel.width - 1)
        pixels[row, column] = colours[order]

    inside = Image.fromarray(pixels)
    draw = ImageDraw.Draw(inside)
    names: list[Name] = []
    for box in reversed(boxes):
        places = np.stack([axes.x(box.corners[:, right]), axes.y(box.corners[:, up])], axis=1)
        _draw_box(draw, places, box, labels[box.label])
        if name == "top" and _is_drawable(places):
            around = (*places.min(axis=0).tolist(), *places.max(axis=0).tolist())
            names.append(Name(box.label, box.confidence, around, labels[box.label]))
    # What boxes draw beyond the axes is cut off there.
    frame = (int(axes.left), int(axes.top), int(axes.left + axes.width) + 1, int(axes.top + axes.height) + 1)
    write_names(draw, names[::-1], frame)
    panel.paste(inside.crop(frame), frame[:2])
    return panel


def axes_of(bounds: tuple[NDArray[np.float64], NDArray[np.float64]], right: int, up: int, scale: float) -> Axes:
    """Axes of two coordinates at `scale` pixels a unit; thin ranges are widened, never stretched."""
    ranges, sides = [], []
    for axis in (right, up):
        low, high = float(bounds[0][axis]), float(bounds[1][axis])
        side = max(round((high - low) * scale), SHORTEST)
        room = (side / scale - (high - low)) / 2
        ranges.append((low - room, high + room))
        sides.append(side)
    return Axes(LEFT, TOP, sides[0], sides[1], ranges[0], ranges[1])


def _stacked(panels: list[Image.Image]) -> Image.Image:
    sheet, _ = blank(max(panel.width for panel in panels), sum(panel.height for panel in panels))
    for place, panel in enumerate(panels):
        sheet.paste(panel, (0, sum(above.height for above in panels[:place])))
    return sheet


def _is_drawable(places: NDArray[np.float64]) -> bool:
    # Beyond this Pillow's coordinates run over.
    return bool((np.abs(places) < 1e5).all())


def _draw_box(draw: ImageDraw.ImageDraw, places: NDArray[np.float64], box: Box, colour: Colour) -> None:
    if not _is_drawable(places):
        return
    thickness = 2 if np.ptp(places, axis=0).min() >= 40 else 1
    segments = [(places[start], places[end], box.is_ground_truth) for start, end in EDGES]
    segments.append((places.mean(axis=0), places[[0, 1, 4, 5]].mean(axis=0), False))
    for start, end, is_dashed in segments:
        length = float(np.hypot(*(end - start)))
        dashes = max(1, int(length / 8)) if is_dashed and length < 5000 else 1
        for dash in range(dashes):
            first = start + (end - start) * dash / dashes
            last = start + (end - start) * (dash + (0.6 if dashes > 1 else 1.0)) / dashes
            draw.line((float(first[0]), float(first[1]), float(last[0]), float(last[1])), fill=colour, width=thickness)


def _scalar_bar(sheet: Image.Image, draw: ImageDraw.ImageDraw, top: int, what: str, ends: tuple[float, float]) -> None:
    texts = [f"{what}  {ends[0]:.3g}", f"{ends[1]:.3g}"]
    left = LEFT + width_of(texts[0]) + 6
    right = min(left + 160, sheet.width - width_of(texts[1]) - GAP)
    write(draw, (LEFT, top + 8), texts[0], MUTED)
    if right > left:
        bar = scalar_colours(np.linspace(0, 1, right - left))
        sheet.paste(Image.fromarray(np.tile(bar, (8, 1, 1))), (left, top + 4))
        draw.rectangle((left - 1, top + 3, right, top + 12), outline=LINE)
    write(draw, (max(right, left) + 6, top + 8), texts[1], MUTED)
