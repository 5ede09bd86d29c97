import json
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.render.bars import BAR, FILL, LABEL, ROW, TRUTH, draw_bars
from leaplab.render.canvas import MARGIN

NAN, INF = float("nan"), float("inf")


def drawn(body, gt=None, labels=None) -> Any:
    names = [f"class {number}" for number in range(len(body))] if labels is None else labels
    picture, data = draw_bars({"body": np.array(body, np.float32), "labels": names, "gt": gt})
    json.dumps(data, allow_nan=False)  # JSON of the strict kind
    return np.asarray(picture), data


def lengths(canvas) -> Any:
    """Width of each row's bar in pixels."""
    rows = range(MARGIN + ROW // 2, canvas.shape[0] - MARGIN, ROW)
    return [int((canvas[row, MARGIN + LABEL : MARGIN + LABEL + BAR + 1] == FILL).all(axis=1).sum()) for row in rows]


def framed(canvas) -> Any:
    """Numbers of the rows with the ground truth's frame."""
    rows = range(MARGIN, canvas.shape[0] - MARGIN, ROW)
    return [place for place, row in enumerate(rows) if (canvas[row : row + ROW] == TRUTH).all(axis=2).any()]


def test_bars_are_as_long_as_their_values():
    canvas, data = drawn([0.0, 0.25, 0.5, 1.0])

    np.testing.assert_allclose(lengths(canvas), [0, BAR / 4, BAR / 2, BAR], atol=2)
    assert data == {
        "labels": ["class 0", "class 1", "class 2", "class 3"],
        "values": [0.0, 0.25, 0.5, 1.0],
        "ground_truth": None,
    }
    assert framed(canvas) == []


def test_bars_share_the_scale_of_the_largest_beyond_one():
    np.testing.assert_allclose(lengths(drawn([1.0, 4.0])[0]), [BAR / 4, BAR], atol=2)


def test_ground_truth_is_framed_and_told():
    canvas, data = drawn([0.2, 0.3, 0.5], np.array([0.0, 1.0, 0.0]))

    assert framed(canvas) == [1]
    assert data["ground_truth"] == [0.0, 1.0, 0.0]


def test_values_that_have_no_length_are_drawn_without_one():
    canvas, data = drawn([NAN, -2.0, -INF, INF, 0.5])

    np.testing.assert_allclose(lengths(canvas), [0, 0, 0, BAR, BAR / 2], atol=2)
    assert data["values"] == [None, -2.0, None, None, 0.5]


@pytest.mark.parametrize("body", [[NAN, NAN], [-1.0, -2.0]])
def test_nothing_but_such_values_is_a_picture_still(body):
    assert lengths(drawn(body)[0]) == [0, 0]


def test_beyond_fifty_rows_the_largest_are_drawn_in_their_order_and_all_are_told():
    body = np.linspace(0, 1, 60)[::-1].copy()
    body[55] = 2.0
    truth = np.zeros(60)
    truth[55] = 1
    canvas, data = drawn(body, truth)

    assert canvas.shape[0] == 2 * MARGIN + 50 * ROW
    found = lengths(canvas)
    assert np.argmax(found) == 49
    assert framed(canvas) == [49]
    assert found[:49] == sorted(found[:49], reverse=True)
    assert (len(data["values"]), len(data["labels"])) == (60, 60)


@pytest.mark.parametrize("label", ["", "a" * 300, "größe 🐱 中文", "<b>&amp;</b>", "two\nlines"])
def test_any_label_is_drawn_within_the_picture(label):
    canvas, data = drawn([0.5, 1.0], labels=[label, "b"])

    assert data["labels"][0] == label
    assert canvas.shape == drawn([0.5, 1.0])[0].shape
    np.testing.assert_allclose(lengths(canvas), [BAR / 2, BAR], atol=2)


@pytest.mark.parametrize(
    ("labels", "gt", "told"),
    [
        (["a"], None, "2 values and 1 labels; return as many of each"),
        (["a", "b"], np.zeros(3), "2 values and 2 labels and 3 ground-truth values"),
        ([], None, "2 values and 0 labels"),
    ],
)
def test_labels_and_values_that_do_not_match_are_told(labels, gt, told):
    with pytest.raises(LeaplabError, match=told):
        drawn([0.5, 0.5], gt, labels)


def test_no_values_are_an_empty_picture():
    assert drawn([])[0].shape[0] == 2 * MARGIN
