"""Samples on a plane, coloured and named by group."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.render.colours import INK, Colour
from leaplab.render.figure import POINTS, TEXT, WIDTH, share, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Petroff's ten ("Accessible Color Sequences for Data Visualization", arXiv 2107.02270, 2021), told apart with any
# colour vision; the two that are nearly grey last.
GROUPS: tuple[Colour, ...] = (
    (63, 144, 218),
    (255, 169, 14),
    (189, 31, 1),
    (131, 45, 182),
    (169, 107, 89),
    (231, 99, 0),
    (185, 172, 112),
    (146, 218, 221),
    (148, 164, 162),
    (113, 117, 129),
)
SHAPES = ("o", "^", "s", "D", "v", "P", "X")
"""Another for each ten groups."""
OTHERS: Colour = (214, 218, 224)
NEAR: Colour = GROUPS[0]
MARKED: Colour = GROUPS[2]
VECTORS = 4_000
"""So many points are shapes in an SVG; more are a picture in it, or no browser would open it in time."""
Points = NDArray[np.floating]
Places = NDArray[np.integer]


def tallness(points: Points) -> float:
    """Height of the points' frame for each of its width, from a half to a square."""
    (width, height) = np.ptp(placed_of(points), axis=0) if len(placed_of(points)) else (1.0, 1.0)
    return float(np.clip(height / width, 0.5, 1.0)) if width > 0 else 1.0


def frame(axes: "Axes", points: Points, height: float = 1.0) -> None:
    """One scale on both axes, with all points inside.

    Args:
        height: of the axes, for each of their width.
    """
    placed = placed_of(points)
    low, high = (placed.min(axis=0), placed.max(axis=0)) if len(placed) else (np.full(2, -1.0), np.full(2, 1.0))
    shape = np.array([1.0, height])
    middle, half = (low + high) / 2, shape * max(float(((high - low) / shape).max()) / 2 * 1.06, 1e-6)
    axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
    axes.set_ylim(middle[1] - half[1], middle[1] + half[1])


def placed_of(points: Points) -> Points:
    """Those that have a place."""
    return points[np.isfinite(points).all(axis=1)]


def scatter(
    axes: "Axes",
    points: Points,
    members: Places,
    colours: Sequence[Colour],
    shape: str = "o",
    gid: str = "others",
    least: float = 0.0,
    edge: Colour | None = None,
) -> None:
    """Points of one shape, in an order that hides no group behind another."""
    order = np.random.default_rng(0).permutation(len(members))
    order = order[np.isfinite(points[members[order]]).all(axis=1)] if len(members) else order
    if not len(order):
        return
    x, y = points[members[order]].T
    colour = [share(each) for each in (colours if len(colours) == 1 else [colours[place] for place in order])]
    # As many points as there are, as small they get; some shapes fill less of their square.
    size = max(least, min(16.0, 30_000 / len(points)), 1.2) * (1.0 if shape == "o" else 1.4)
    axes.scatter(
        x,
        y,
        s=size,
        c=colour,
        marker=shape,
        linewidths=0 if edge is None else 0.5,
        edgecolors="none" if edge is None else [share(edge)],
        rasterized=len(points) > VECTORS,
        gid=gid,
    )


def name_groups(axes: "Axes", points: Points, groups: Sequence[tuple[str, Places]]) -> None:
    """The groups' names, each on a sample near the middle of its group, none over another."""
    low, high = axes.get_xlim()
    inch = (high - low) / (WIDTH * axes.get_position().width)
    taken = np.zeros((0, 4))
    for number, (name, members) in enumerate(groups):
        placed = placed_of(points[members])
        if not len(placed):
            continue
        width, height = (width_of(name, TEXT, "bold") + 0.09) * inch, (TEXT / POINTS + 0.09) * inch
        away = np.linalg.norm(placed - np.median(placed, axis=0), axis=1)
        for x, y in placed[np.argsort(away, kind="stable")][:: max(1, len(placed) // 200)]:
            box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
            if ((taken[:, :2] < box[2:]) & (taken[:, 2:] > box[:2])).all(axis=1).any():
                continue
            taken = np.vstack([taken, box])
            chip = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": share(colour_of(number)), "lw": 1.2}
            how: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold", "fontsize": TEXT}
            axes.text(x, y, name, color=share(INK), bbox=chip, **how)
            break


def colour_of(number: int) -> Colour:
    """The colour of the group of that number."""
    return GROUPS[number % len(GROUPS)]


def shape_of(number: int) -> str:
    """The shape of its points, as matplotlib names it."""
    return SHAPES[number // len(GROUPS) % len(SHAPES)]
