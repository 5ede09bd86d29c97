from typing import Any

import numpy as np
import pytest
from code_loader.contract.responsedataclasses import BoundingBox
from code_loader.contract.visualizer_classes import LeapImageWithBBox

from leaplab.errors import LeaplabError
from leaplab.render import boxes
from leaplab.render.boxes import clipped
from leaplab.render.colours import label_colours

# 100 x 50 pixels are shown six times as large.
WIDTH, HEIGHT = 600, 300
CAR = label_colours(["car"])["car"]
NAN, INF = float("nan"), float("inf")


def grey(height=50, width=100) -> Any:
    return np.full((height, width, 3), 128, np.uint8)


def box(x=0.5, y=0.5, width=0.4, height=0.4, confidence=0.5, label="car", **more) -> Any:
    return BoundingBox(x, y, width, height, confidence, label, **more)


@pytest.fixture
def outlines(draw, monkeypatch) -> Any:
    """Where boxes are drawn [H, W], without their names."""
    monkeypatch.setattr(boxes, "write_names", lambda *_: 0)

    def drawn(*some) -> Any:
        pixels, _ = draw(LeapImageWithBBox(grey(), list(some)))
        return (pixels[:HEIGHT] == CAR).all(axis=2)

    return drawn


def test_outline_lies_on_the_box_s_first_and_last_pixels(outlines):
    # 0.3..0.7 of 600 and of 300
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    wanted[90:210, 180:420] = True
    wanted[92:208, 182:418] = False

    np.testing.assert_array_equal(outlines(box()), wanted)


def test_outline_follows_the_image_s_edge_where_the_box_leaves_it(outlines):
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    wanted[210:300, 480:600] = True
    wanted[212:298, 482:598] = False

    np.testing.assert_array_equal(outlines(box(x=1.0, y=0.9)), wanted)


def test_rotation_turns_clockwise_around_the_centre(outlines):
    seen = outlines(box(height=0.2, rotation=30.0))
    # The middle of the right side: half of 240 pixels from the centre, 30 degrees downwards.
    x, y = 300 + 120 * np.cos(np.pi / 6), 150 + 120 * np.sin(np.pi / 6)

    def near(x, y) -> Any:
        return seen[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()

    assert near(x, y)
    assert near(600 - x, 300 - y)
    assert not near(x, 300 - y)
    assert not near(420, 150)


def test_quarter_turn_swaps_the_sides_in_pixels(outlines):
    rows, columns = np.nonzero(outlines(box(height=0.2, rotation=90.0)))

    # 240 wide and 60 high becomes 60 wide and 240 high.
    np.testing.assert_allclose((columns.min(), columns.max(), rows.min(), rows.max()), (270, 330, 30, 270), atol=2)


@pytest.mark.parametrize("rotation", [0.0, 360.0, 720.0, -360.0])
def test_full_turns_turn_nothing(outlines, rotation):
    np.testing.assert_array_equal(outlines(box(rotation=rotation)), outlines(box()))


def test_rotated_box_is_cut_at_the_image_s_edge(outlines):
    seen = outlines(box(x=0.0, y=0.5, width=0.5, height=0.5, rotation=45.0))

    # What remains is closed along the left edge: 150 x sqrt(2) / 2 up and down from the middle at most.
    assert seen[150, 0]
    assert seen[100, 0]
    assert not seen[20, 0]


def test_clipping_of_a_polygon():
    triangle = np.array([(-2.0, 1.0), (2.0, 1.0), (2.0, 5.0)])

    # The line from (2, 5) to (-2, 1) crosses x = 0 at y = 3.
    corners = clipped(triangle, (4, 4)).tolist()
    first = corners.index([0, 1])
    assert corners[first:] + corners[:first] == [[0, 1], [2, 1], [2, 4], [1, 4], [0, 3]]
    assert len(clipped(triangle + 10, (4, 4))) == 0
    assert len(clipped(triangle - (2, 0), (4, 4))) == 0  # touches the edge only


def test_the_more_confident_lies_on_top(draw):
    colours = label_colours(["car", "van"])
    for first, second in ((0.9, 0.2), (0.2, 0.9)):
        pixels, _ = draw(LeapImageWithBBox(grey(), [box(confidence=first), box(confidence=second, label="van")]))
        assert tuple(pixels[150, 180]) == colours["car" if first > second else "van"]


def test_beyond_300_the_most_confident_are_drawn_and_the_rest_told(draw, told, monkeypatch):
    names, notes = told(boxes)
    monkeypatch.setattr(boxes, "write_names", lambda *_: 0)
    weak = [box(x=0.8, width=0.1, confidence=0.1, label="weak") for _ in range(40)]
    strong = [box(x=0.2, width=0.1, confidence=0.9, label="strong") for _ in range(300)]
    pixels, _ = draw(LeapImageWithBBox(grey(), weak + strong))
    colours = label_colours(["weak", "strong"])

    assert (pixels[:HEIGHT] == colours["strong"]).all(axis=2).any()
    assert not (pixels[:HEIGHT] == colours["weak"]).all(axis=2).any()
    assert notes == ["300 of 340 boxes drawn: the most confident."]
    assert names == ["strong (300)", "weak (40)"]


def test_boxes_that_cannot_be_seen_are_told(draw, told):
    _, notes = told(boxes)
    some = [box(x=NAN), box(width=INF), box(width=0.0), box(height=-1.0), box(x=50, y=20), box(x=1e300), box()]
    pixels, _ = draw(LeapImageWithBBox(grey(), some))

    assert (pixels[150, 180] == CAR).all()
    assert notes == [
        "5 boxes without area or finite coordinates left out.",
        "1 box outside the image; coordinates are shares, 0 to 1.",
    ]


def test_no_boxes_are_the_image_and_told(draw, told):
    _, notes = told(boxes)
    pixels, _ = draw(LeapImageWithBBox(grey(), []))

    np.testing.assert_array_equal(pixels[:HEIGHT], 128)
    assert notes == ["No boxes."]


def test_single_channel_and_float_images_carry_boxes(draw):
    image = np.full((50, 100, 1), 128.9, np.float32)
    pixels, _ = draw(LeapImageWithBBox(image, [box()]))

    assert tuple(pixels[150, 180]) == CAR
    assert tuple(pixels[20, 20]) == (128, 128, 128)


@pytest.mark.parametrize("wrong", [box(x="left"), box(confidence=None), (0.1, 0.2, 0.3, 0.4), None])
def test_box_that_is_none_is_told_with_its_number(draw, wrong):
    with pytest.raises(LeaplabError, match="Box 1 is no BoundingBox"):
        draw(LeapImageWithBBox(grey(), [box(), wrong]))


def test_boxes_that_are_no_list_are_told(draw):
    with pytest.raises(LeaplabError, match="return a list of BoundingBox"):
        draw(LeapImageWithBBox(grey(), None))


def test_a_page_is_told_where_the_image_lies_and_the_outline_of_each_box(draw):
    pixels, data = draw(
        LeapImageWithBBox(grey(), [box(confidence=0.5), box(x=1.0, confidence=0.25, label="van"), box(confidence=NAN)])
    )

    assert (data["size"], data["area"]) == ([100, 50], [WIDTH, HEIGHT])
    assert pixels.shape[0] > HEIGHT, "the legend lies below the image"
    first, second, third = data["boxes"]
    assert (first["label"], first["confidence"], second["label"], second["confidence"]) == ("car", 0.5, "van", 0.25)
    assert third["confidence"] is None
    assert sorted(first["outline"]) == [[0.3, 0.3], [0.3, 0.7], [0.7, 0.3], [0.7, 0.7]]
    # It ends at the image's edge.
    assert sorted(map(tuple, second["outline"])) == [(0.8, 0.3), (0.8, 0.7), (1.0, 0.3), (1.0, 0.7)]
    assert [entry["text"] for entry in data["legend"]] == ["car (2)", "van (1)"]
    assert data["legend"][0]["colour"] == "#{:02x}{:02x}{:02x}".format(*CAR)
