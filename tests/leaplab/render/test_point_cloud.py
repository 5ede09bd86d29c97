from typing import Any

import numpy as np
import pytest
from code_loader.contract.responsedataclasses import BoundingBox3D
from code_loader.contract.visualizer_classes import LeapPointCloud

from leaplab.render import point_cloud
from leaplab.render.canvas import GAP
from leaplab.render.colours import label_colours, scalar_colours
from leaplab.render.point_cloud import BOTTOM, LEFT, LONGEST, RIGHT, TOP

CAR = label_colours(["car"])["car"]
# The corners of a cube of -1..1: with 3% of room on both sides its three views are 520 pixels wide and high.
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
PANEL = (LEFT + LONGEST + RIGHT + GAP, TOP + LONGEST + BOTTOM + GAP)
VIEWS = {"top": (0, 0), "side": (1, 0), "front": (0, 1)}


def place(view, right, up) -> Any:
    """Column and row of a point in a view, by its coordinates to the right and up."""
    column, row = VIEWS[view]
    scale = LONGEST / 2.12
    return (
        int(column * PANEL[0] + LEFT + (right + 1.06) * scale),
        int(row * PANEL[1] + TOP + (1.06 - up) * scale),
    )


def cloud(*points, boxes=None, intensity=None) -> Any:
    every = np.concatenate([CORNERS, np.array(points, np.float32).reshape(-1, 3)])
    return LeapPointCloud(every, intensity, boxes)


def box(**changes) -> Any:
    fields = {"x": 0.0, "y": 0.0, "z": 0.0, "width": 0.4, "length": 1.2, "height": 0.2, "yaw": 0.0, "label": "car"}
    return BoundingBox3D(**{**fields, "confidence": 0.5, **changes})


@pytest.fixture
def without_names(monkeypatch) -> Any:
    monkeypatch.setattr(point_cloud, "write_names", lambda *_: 0)


def test_point_lies_at_its_place_in_each_view(draw):
    pixels, _ = draw(cloud((0.5, 0.25, -0.3)))
    empty, _ = draw(cloud())

    for view, right, up in (("top", 0.5, 0.25), ("side", 0.5, -0.3), ("front", 0.25, -0.3)):
        column, row = place(view, right, up)
        changed = (pixels[: PANEL[1] * 2] != empty[: PANEL[1] * 2]).any(axis=2)
        assert changed[row, column], view
    assert changed.sum() == 3 * 4  # few points are two pixels wide and high


def test_points_have_the_colour_of_their_height(draw):
    pixels, _ = draw(cloud(*[(0, 0.1 * step, 0) for step in range(-5, 6)], (0.5, 0.25, -0.9), (0.5, 0.5, 0.9)))
    column, row = place("top", 0.5, 0.25)
    low = pixels[row, column].astype(int)
    column, row = place("top", 0.5, 0.5)
    high = pixels[row, column].astype(int)
    dark, light = scalar_colours(np.array([0.05, 0.95])).astype(int)

    np.testing.assert_allclose(low, dark, atol=30)
    np.testing.assert_allclose(high, light, atol=30)


def test_intensity_takes_the_colour_from_the_height(draw):
    intensity = np.array([0.0] * 4 + [10.0] * 4 + [0.0, 10.0], np.float32)
    pixels, _ = draw(cloud((0.5, 0.25, 0.9), (0.5, 0.5, -0.9), intensity=intensity))
    ends = scalar_colours(np.array([0.0, 1.0]))

    for end, up in enumerate((0.25, 0.5)):
        column, row = place("top", 0.5, up)
        np.testing.assert_array_equal(pixels[row, column], ends[end])


@pytest.mark.parametrize(
    ("view", "near", "far", "at"),
    [
        ("top", (0.3, 0.2, 0.5), (0.3, 0.2, -0.5), (0.3, 0.2)),
        ("side", (0.3, -0.5, 0.2), (0.3, 0.5, 0.2), (0.3, 0.2)),
        ("front", (0.5, 0.3, 0.2), (-0.5, 0.3, 0.2), (0.3, 0.2)),
    ],
)
def test_nearer_point_covers_the_one_behind(draw, view, near, far, at):
    column, row = place(view, *at)
    ends = scalar_colours(np.array([0.0, 1.0]))
    for first, second, values in ((near, far, (10.0, 0.0)), (far, near, (0.0, 10.0))):
        intensity = np.array([0.0] * 4 + [10.0] * 4 + list(values), np.float32)
        pixels, _ = draw(cloud(first, second, intensity=intensity))
        np.testing.assert_array_equal(pixels[row, column], ends[1])


@pytest.mark.parametrize(
    ("yaw", "sides"),
    [
        (0.0, [(0.6, 0.1), (-0.6, -0.1), (0.3, 0.2), (0.3, 0.0)]),
        (np.pi / 2, [(0.1, 0.6), (-0.1, -0.6), (0.2, 0.3), (0.0, 0.3)]),
        # Turned counter-clockwise by 30 degrees: the middles of front and left side, and half the way to the front.
        (np.pi / 6, [(0.6 * 0.866, 0.6 * 0.5), (-0.2 * 0.5, 0.2 * 0.866), (0.3 * 0.866, 0.3 * 0.5)]),
    ],
)
def test_box_from_the_top_is_turned_and_points_to_its_front(draw, without_names, yaw, sides):
    pixels, _ = draw(cloud(boxes=[box(yaw=yaw)]))
    seen = (pixels == CAR).all(axis=2)

    for x, y in sides:
        column, row = place("top", x, y)
        assert seen[row - 1 : row + 2, column - 1 : column + 2].any(), (x, y)
    behind = place("top", -0.3 * np.cos(yaw), -0.3 * np.sin(yaw))
    assert not seen[behind[1] - 1 : behind[1] + 2, behind[0] - 1 : behind[0] + 2].any()


def test_box_has_its_height_in_the_other_views(draw, without_names):
    pixels, _ = draw(cloud(boxes=[box()]))
    seen = (pixels == CAR).all(axis=2)

    for view, right in (("side", 0.6), ("front", 0.2)):
        left, top = place(view, -right, 0.1)
        right_end, bottom = place(view, right, -0.1)
        area = seen[VIEWS[view][1] * PANEL[1] :][: PANEL[1] - GAP, VIEWS[view][0] * PANEL[0] :][:, : PANEL[0] - GAP]
        rows, columns = np.nonzero(area)
        rows, columns = rows + VIEWS[view][1] * PANEL[1], columns + VIEWS[view][0] * PANEL[0]
        np.testing.assert_allclose(
            (columns.min(), columns.max(), rows.min(), rows.max()), (left, right_end, top, bottom), atol=2
        )


def test_ground_truth_is_dashed_and_told(draw, told, without_names):
    _, notes = told(point_cloud)
    shares = []
    for is_ground_truth in (False, True):
        pixels, _ = draw(cloud(boxes=[box(is_ground_truth=is_ground_truth)]))
        (left, row), (right, _) = place("top", -0.55, 0.2), place("top", 0.55, 0.2)
        shares.append((pixels[row - 1 : row + 2, left:right] == CAR).all(axis=2).any(axis=0).mean())

    assert shares[0] == 1
    assert 0.4 < shares[1] < 0.8
    assert notes == ["Dashed: ground truth."]


def test_far_off_point_does_not_shrink_the_others_and_is_told(draw, told):
    _, notes = told(point_cloud)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (2000, 3)).astype(np.float32)
    near, _ = draw(LeapPointCloud(points))
    points[0] = (1e30, 0, 0)
    far, _ = draw(LeapPointCloud(points))

    changed = (far[: PANEL[1] * 2 - GAP] != near[: PANEL[1] * 2 - GAP]).any(axis=2)
    assert changed.mean() < 0.01
    assert notes == ["1 of 2,000 points lie outside the views."]


def test_boxes_outside_and_beyond_300_are_told(draw, told, without_names):
    names, notes = told(point_cloud)
    draw(cloud(boxes=[box()] * 309 + [box(x=1e6, confidence=0.9)]))

    assert names == ["car (310)"]
    assert notes == [
        "300 of 310 boxes drawn: the most confident.",
        "1 box wholly or partly outside the views.",
    ]


@pytest.mark.parametrize(
    "points", [[(1, 2, 3)], [(0, 0, 0)] * 5, [(0, 0, 0), (1e-30, 0, 0)], [(3e38, 0, 0), (-3e38, 0, 0)]]
)
def test_cloud_without_extent_or_with_endless_extent_is_drawn(draw, points):
    pixels, _ = draw(LeapPointCloud(np.array(points, np.float32)))
    dark = scalar_colours(np.array([0.0, 1.0]))

    assert max(pixels.shape) <= 2048
    assert (pixels[: TOP + LONGEST] == dark[0]).all(axis=2).any()


def test_thin_cloud_has_its_sides_under_its_top_in_one_scale(draw, without_names):
    rng = np.random.default_rng(0)
    points = rng.uniform((-50, -50, -1), (50, 50, 1), (3000, 3)).astype(np.float32)
    pixels, _ = draw(LeapPointCloud(points, bounding_boxes=[box(length=20.0, width=20.0, height=1.5)]))
    seen = (pixels == CAR).all(axis=2)
    widths = [np.ptp(np.flatnonzero(seen[top:bottom].any(axis=0))) for top, bottom in ((0, 560), (600, 700))]

    assert pixels.shape[1] < 620
    np.testing.assert_allclose(widths, 20 / 106 * LONGEST, atol=4)
