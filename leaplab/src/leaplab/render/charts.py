"""The figures of analyses: maps of the samples with groups on them, and bars. They take arrays and texts only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaplab.render.canvas import plural
from leaplab.render.colours import MUTED, PAPER, Colour
from leaplab.render.figure import (
    SMALL,
    TEXT,
    WIDTH,
    fitted,
    place,
    share,
    sheet,
    style,
    width_of,
    wrapped,
    write,
)
from leaplab.render.maps import (
    GROUPS,
    MARKED,
    NEAR,
    OTHERS,
    Places,
    Points,
    colour_of,
    frame,
    name_groups,
    scatter,
    shape_of,
    tallness,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARGIN, HEAD = 0.12, 0.62
MAP = 4.7
ROW, LINE, INDENT = 0.4, 0.16, 0.5
SHOWN_GROUPS, MOST_LINES = 16, 3
PANELS, COLUMNS, TITLE_LINES, TITLE_LINE = 6, 3, 3, 0.17
SHOWN_BARS = 20


@dataclass(frozen=True)
class Group:
    """A group of samples.

    Attributes:
        name: short enough to stand on the map.
        members: [k] places of its samples.
        told: what sets it apart, in lines; as many are shown as there is room for, at least the first.
    """

    name: str
    members: Places
    told: Sequence[str]


@dataclass(frozen=True)
class Finding:
    """Something that was found, and whose samples they are.

    Attributes:
        title: a sentence.
        severity: in [0, 1].
        members: [k] places of the samples.
        counted: how many they are, in words.
    """

    title: str
    severity: float
    members: Places
    counted: str


@style()
def group_chart(points: Points, groups: Sequence[Group], title: str, below: str) -> "Figure":
    """A map coloured by group, each named on it, and beside it their sizes and what sets them apart.

    Args:
        points: [N, 2], NaN for what has no place; those in no group are grey.
        groups: the largest first; the first sixteen have a bar, the others are counted.
    """
    listed = groups[:SHOWN_GROUPS]
    rows = len(listed) + (len(groups) > len(listed))
    lines = int(np.clip((MAP / max(rows, 1) - ROW) / LINE + 1, 1, MOST_LINES))
    row = ROW + LINE * (lines - 1)
    height = HEAD + MARGIN + max(MAP, row * rows)
    figure = sheet(height, title, below)
    axes = place(figure, MARGIN, height - HEAD - MAP, MAP, MAP)
    grouped = np.concatenate([np.zeros(0, np.int64), *(group.members for group in groups)])
    frame(axes, points)
    scatter(axes, points, np.setdiff1d(np.arange(len(points)), grouped), [OTHERS])
    for first in range(0, len(groups), len(GROUPS)):
        some = groups[first : first + len(GROUPS)]
        numbers = np.repeat(np.arange(len(some)), [len(group.members) for group in some])
        members = np.concatenate([group.members for group in some])
        colours = [GROUPS[number] for number in numbers]
        scatter(axes, points, members, colours, shape_of(first), gid=f"groups-{first // len(GROUPS)}")
    name_groups(axes, points, [(group.name, group.members) for group in groups])
    left, most = MARGIN + MAP + 0.3, max((len(group.members) for group in listed), default=1)
    room = WIDTH - left - MARGIN
    longest = room - INDENT - width_of(f"{most:,} ", SMALL) - 0.1
    for number, group in enumerate(listed):
        middle = height - HEAD - 0.12 - row * number
        _bar(figure, left, middle, longest * len(group.members) / most, number, group)
        for line, told in enumerate(group.told[:lines], 1):
            text = fitted(told, room - INDENT, SMALL)
            write(figure, left + INDENT, middle - LINE * line, text, SMALL, MUTED)
    if len(groups) > len(listed):
        rest = groups[SHOWN_GROUPS:]
        rest_told = f"and {plural(len(rest), 'smaller group')} of {sum(len(group.members) for group in rest):,} samples"
        write(figure, left, height - HEAD - 0.12 - row * len(listed), rest_told, SMALL, MUTED)
    return figure


@style()
def finding_chart(points: Points, findings: Sequence[Finding], title: str, below: str) -> "Figure":
    """The same map for each of the first six findings: its samples stand out of the grey ones.

    Args:
        points: [N, 2], NaN for what has no place.
    """
    shown = findings[:PANELS]
    gap = 0.18
    side = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * gap) / COLUMNS
    tall = side * tallness(points)
    titles = [wrapped(finding.title, side, TEXT, TITLE_LINES, "bold") for finding in shown]
    rows = [titles[first : first + COLUMNS] for first in range(0, len(shown), COLUMNS)] or [[[]]]
    words = [TITLE_LINE * (max(len(lines) for lines in row) + 1) + 0.06 for row in rows]
    height = HEAD + sum(words) + len(rows) * (tall + gap) - gap + MARGIN
    figure = sheet(height, title, below)
    top = height - HEAD
    for row, (row_titles, of_words) in enumerate(zip(rows, words, strict=True)):
        for column, lines in enumerate(row_titles):
            left, number = MARGIN + column * (side + gap), row * COLUMNS + column
            axes = place(figure, left, top - of_words - tall, side, tall)
            frame(axes, points, tall / side)
            members = shown[number].members if shown else np.zeros(0, np.int64)
            scatter(axes, points, np.setdiff1d(np.arange(len(points)), members), [OTHERS])
            scatter(axes, points, members, [MARKED], gid=f"finding-{number}", least=3.0)
            for line, text in enumerate(lines):
                write(figure, left, top - 0.08 - TITLE_LINE * line, text, TEXT, weight="bold")
            if shown:
                told = fitted(f"severity {shown[number].severity:.2f}, {shown[number].counted}", side, SMALL)
                write(figure, left, top - 0.08 - TITLE_LINE * len(lines), told, SMALL, MUTED)
        top -= of_words + tall + gap
    return figure


@style()
def severity_chart(findings: Sequence[Finding], title: str, below: str) -> "Figure":
    """A bar for each of the first twenty findings, as long as it is severe."""
    listed = findings[:SHOWN_BARS]
    height = HEAD + MARGIN + ROW * max(len(listed), 1)
    figure = sheet(height, title, below)
    room = WIDTH - 2 * MARGIN
    for number, finding in enumerate(listed):
        middle = height - HEAD - ROW * (number + 0.3)
        counted = f"{finding.severity:.2f}, {finding.counted}"
        write(figure, MARGIN, middle, fitted(finding.title, room - width_of(counted, SMALL) - 0.2, TEXT), TEXT)
        write(figure, MARGIN + room, middle, counted, SMALL, MUTED, ha="right")
        for colour, length in ((OTHERS, 1.0), (MARKED, finding.severity)):
            _rectangle(figure, MARGIN, middle - 0.19, room * length, 0.07, colour, f"bar-{number}")
    return figure


@style()
def near_chart(points: Points, queries: Places, near: Places, rows: Sequence[str], title: str, below: str) -> "Figure":
    """A map with what was looked from and what is near to it, and a line for each of these beside it.

    Args:
        points: [N, 2], NaN for what has no place.
        queries: [q] places, drawn as stars.
        near: [k] places, the nearest first.
        rows: [k] texts.
    """
    height = HEAD + MARGIN + MAP
    figure = sheet(height, title, below)
    axes = place(figure, MARGIN, MARGIN, MAP, MAP)
    frame(axes, points)
    scatter(axes, points, np.setdiff1d(np.arange(len(points)), [*queries, *near]), [OTHERS])
    scatter(axes, points, near, [NEAR], gid="near", least=14.0, edge=PAPER)
    scatter(axes, points, queries, [MARKED], "*", gid="query", least=120.0, edge=PAPER)
    left, line = MARGIN + MAP + 0.3, 0.2
    most = int(MAP / line)
    shown = rows if len(rows) <= most else [*rows[: most - 1], f"and {len(rows) - most + 1:,} more"]
    for number, text in enumerate(shown):
        middle = height - HEAD - line * (number + 0.5)
        write(figure, left, middle, fitted(text, WIDTH - left - MARGIN, TEXT, both_ends=True), TEXT)
    return figure


def _bar(figure: "Figure", left: float, middle: float, length: float, number: int, group: Group) -> None:
    """A group's mark and name, and its size as a bar."""
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    mark = Line2D([(left + 0.06) / width], [middle / height], marker=shape_of(number), ls="", ms=6, mew=0)
    mark.set_color(share(colour_of(number)))
    figure.add_artist(mark)
    write(figure, left + 0.18, middle, group.name, TEXT, weight="bold")
    start = left + INDENT
    _rectangle(figure, start, middle - 0.05, length, 0.1, colour_of(number), f"bar-{group.name}")
    write(figure, start + length + 0.07, middle, f"{len(group.members):,}", SMALL)


def _rectangle(
    figure: "Figure", left: float, bottom: float, width: float, height: float, colour: Colour, gid: str
) -> None:
    from matplotlib.patches import Rectangle

    whole_width, whole_height = figure.get_size_inches()
    corner = left / whole_width, bottom / whole_height
    bar = Rectangle(corner, width / whole_width, height / whole_height, color=share(colour), lw=0, gid=gid)
    figure.add_artist(bar)
