"""What a heat-map is of: losses, metrics, classes and detections, and what is refused in a sentence."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import helper

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Node
from leaplab.protocol.explaining import Target
from leaplab.worker.explaining.detections import Box, overlap
from tests.leaplab.explain.known import Known, node, save_model

GRID = 4
"""Cells of a side of a detector's map; each has one row, whose box is the cell."""


def detector(path: Path) -> Path:
    """A detector whose cells see their own pixels: rows of x, y, width, height, objectness, two classes."""
    rows, columns = np.divmod(np.arange(GRID * GRID), GRID)
    fixed = np.stack([(columns + 0.5) / GRID, (rows + 0.5) / GRID, *np.full((2, GRID * GRID), 1 / GRID)], axis=1)
    weights = {
        "look": np.full((1, 1, 2, 2), 0.25, np.float32),
        "same": np.ones((3, 1, 1, 1), np.float32) * np.array([1, 0.75, 0.25], np.float32).reshape(3, 1, 1, 1),
        "flat": np.array([0, 3, -1], np.int64),
        "boxes": fixed[None].astype(np.float32),
        "axes": np.array([1], np.int64),
        "zero": np.zeros((1, 1), np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "look"], ["seen"], strides=[2, 2]),
        helper.make_node("Relu", ["seen"], ["map"]),
        helper.make_node("Conv", ["map", "same"], ["rest"]),
        helper.make_node("Reshape", ["rest", "flat"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["scores"], perm=[0, 2, 1]),
        # The boxes, once for each sample.
        helper.make_node("Slice", ["scores", "start", "one", "last"], ["some"]),
        helper.make_node("Mul", ["some", "nothing"], ["none"]),
        helper.make_node("Add", ["none", "boxes"], ["placed"]),
        helper.make_node("Concat", ["placed", "scores"], ["rows"], axis=2),
    ]
    weights |= {
        "start": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "last": np.array([2], np.int64),
        "nothing": np.zeros(1, np.float32),
    }
    return save_model(path, {"image": ["n", 1, 8, 8]}, nodes, {"rows": ["n", GRID * GRID, 7]}, weights)


def drawn(rows: Any) -> Any:
    """The boxes whose score is above .3, best first."""
    scores = rows[0, :, 4:5] * rows[0, :, 5:]
    boxes = [
        SimpleNamespace(
            x=row[0], y=row[1], width=row[2], height=row[3], label="ab"[int(np.argmax(score))], confidence=score.max()
        )
        for row, score in zip(rows[0], scores, strict=True)
        if score.max() > 0.3
    ]
    return SimpleNamespace(bounding_boxes=sorted(boxes, key=lambda box: -box.confidence))


def shown() -> Node:
    wired = node("boxes", rows="output 0")
    return Node(wired.handler, wired.column, wired.arguments, type="ImageWithBBox")


def loss(truth: Any, rows: Any) -> Any:
    return np.abs(rows[:, :, 4] - truth).sum(axis=1)


def brightest(rows: Any) -> Any:
    return 2 * rows[:, :, 4].max(axis=1)


def of_parts(rows: Any) -> Any:
    """Of the parts that are the cells 5, 6 and 9, how sure the model is, in percent; the third has no number below."""
    return {
        number: np.where(sure < 0.5, np.nan, 100 * sure) if number == 2 else 100 * sure
        for number, sure in enumerate(rows[:, [5, 6, 9], 4].T)
    }


def of_no_part(rows: Any) -> Any:
    return {0: -rows[:, 5, 4]}


def scores(rows: Any) -> Any:
    return {"best": rows[:, :, 4].max(axis=1), "count": (rows[:, :, 4] > 0.5).sum(axis=1).astype(np.float32)}


@pytest.fixture
def found(tmp_path: Path) -> tuple[Known, Any]:
    """A detector and its images: cells of brightness 1, .8 and .7 in the first."""
    images = np.zeros((3, 1, 8, 8), np.float32)
    for cell, bright in ((5, 1.0), (6, 0.8), (9, 0.7)):
        row, column = divmod(cell, GRID)
        images[0, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = bright
    truths = np.zeros((3, GRID * GRID), np.float32)
    truths[0, 5] = 1
    known = Known(
        detector(tmp_path / "m.onnx"),
        {"image": images},
        {"there": truths},
        {
            loss: node("presence", truth="truth there", rows="output 0"),
            brightest: node("brightest", rows="output 0"),
        },
        {scores: node("scores", rows="output 0")},
        {drawn: shown()},
        labels=[["x", "y", "w", "h", "object", "a", "b"]],
        channel_dim=1,
    )
    return known, known.cutter(tmp_path)


def only(cell: int, value: float) -> Any:
    values = np.zeros(GRID * GRID)
    values[cell] = value
    return values.reshape(GRID, GRID)


def test_a_detection_is_the_kth_box_of_the_visualizer(found: tuple[Known, Any]) -> None:
    known, cutter = found
    cuts = cutter.cuts(0)
    assert [each.tensor for each in cuts.chosen(True)] == ["map"]
    split = cutter.split(cuts.chosen(True))
    for number, (cell, bright) in enumerate(((5, 1.0), (6, 0.8), (9, 0.7)), start=1):
        for decoder in ("", "yolo"):
            answer = known.map(Target("detection", str(number), decoder=decoder), 0, split)
            score = 0.75 * bright**2
            np.testing.assert_allclose(answer.targets, [score], rtol=1e-5)
            np.testing.assert_allclose(answer.values[0], only(cell, score), atol=1e-6)


def test_a_box_that_falls_below_the_visualizers_threshold_is_gone(found: tuple[Known, Any]) -> None:
    known, cutter = found
    split = cutter.split([cutter.named("map")])
    # The mean of the population, not 0, is left: of 48 cells three have something.
    mean = 2.5 / 48
    seen = known.map(Target("detection", "3"), 0, split, baseline="mean").values[0, 2, 1]
    smooth = known.map(Target("detection", "3", decoder="yolo"), 0, split, baseline="mean").values[0, 2, 1]
    assert seen == pytest.approx(0.75 * 0.7**2)
    assert smooth == pytest.approx(0.75 * (0.7**2 - mean**2))


def test_a_loss_and_a_metric_are_followed_cell_by_cell(found: tuple[Known, Any]) -> None:
    known, cutter = found
    split = cutter.split(cutter.cuts(0).chosen(False))
    answer = known.map(Target("loss", "presence"), 0, split)
    wanted = only(6, 0.8) + only(9, 0.7) + only(5, -1.0)
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-6)
    assert answer.targets[0] == pytest.approx(1.5)
    both = known.map(Target("loss"), 0, split)
    np.testing.assert_allclose(both.values[0], wanted + only(5, 0.4), atol=1e-6)
    np.testing.assert_allclose(both.targets, [1.5 + 2])

    counted = known.map(Target("metric", "scores_count"), 0, split)
    np.testing.assert_allclose(counted.values[0], only(5, 1) + only(6, 1) + only(9, 1))
    best = known.map(Target("metric", "scores_best"), 0, split)
    np.testing.assert_allclose(best.values[0], only(5, 0.2), atol=1e-6)


def test_a_class_of_a_detector_is_the_sum_of_its_boxes(found: tuple[Known, Any]) -> None:
    known, cutter = found
    split = cutter.split(cutter.cuts(0).chosen(True))
    answer = known.map(Target("class", "a"), 0, split)
    wanted = sum(only(cell, 0.75 * bright**2) for cell, bright in ((5, 1.0), (6, 0.8), (9, 0.7)))
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-6)


def parted(folder: Path, **more: Any) -> Known:
    """The detector, with three element instances in its first sample and none in the others."""
    images = np.zeros((2, 1, 8, 8), np.float32)
    for cell, bright in ((5, 1.0), (6, 0.8), (9, 0.7)):
        row, column = divmod(cell, GRID)
        images[0, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = bright
    given: dict[str, Any] = {
        "instance_metrics": {of_parts: node("sureness", rows="output 0")},
        "instances": [3, 0],
        "channel_dim": 1,
    }
    return Known(detector(folder / "m.onnx"), {"image": images}, **{**given, **more})


@pytest.mark.parametrize("method", ["ablation", "occlusion"])
def test_an_element_instance_is_followed_in_the_units_of_its_metric(tmp_path: Path, method: str) -> None:
    known = parted(tmp_path)
    split = known.cutter(tmp_path).split([known.cutter(tmp_path).named("map")])
    for number, (cell, bright) in enumerate(((5, 1.0), (6, 0.8))):
        asked = {"split": split} if method == "ablation" else {"block": 2}
        answer = known.map(Target("instance", str(number)), 0, method=method, **asked)
        np.testing.assert_allclose(answer.targets, [100 * bright], rtol=1e-5)
        wanted = only(cell, 100 * bright)
        if method == "ablation":
            np.testing.assert_allclose(answer.values[0], wanted, atol=1e-4)
        else:  # patches of 2 x 2 pixels that overlap by half: of a pixel, the mean of those that it lies in
            row, column = divmod(cell, GRID)
            inside = answer.values[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert inside.min() > 0.5 * 100 * bright
            assert answer.values[0].max() == inside.max()


def test_an_instance_whose_metric_is_no_number_counts_for_nothing_there(tmp_path: Path) -> None:
    known = parted(tmp_path)
    answer = known.map(Target("instance", "2"), 0, known.cutter(tmp_path).split([known.cutter(tmp_path).named("map")]))
    assert np.isnan(answer.values[0, 2, 1])
    assert np.nansum(np.abs(answer.values)) == 0
    assert "1 of the 16 blocks leave the target without a number" in answer.notices[0]


def test_of_several_metrics_of_instances_one_is_named(tmp_path: Path) -> None:
    both = {of_parts: node("sureness", rows="output 0"), of_no_part: node("doubt", rows="output 0")}
    known = parted(tmp_path, instance_metrics=both)
    split = known.cutter(tmp_path).split([known.cutter(tmp_path).named("map")])
    np.testing.assert_allclose(known.map(Target("instance", "0:doubt"), 0, split).values[0], only(5, -1), atol=1e-6)
    with pytest.raises(LeaplabError, match=r"several metrics \(sureness, doubt\); name one: instance:0:NAME"):
        known.map(Target("instance", "0"), 0, split)


def test_instances_that_there_are_not_are_said_in_a_sentence(tmp_path: Path) -> None:
    known = parted(tmp_path)
    wrong = {
        "no element instance 3: '0' has 3 element instances, from 0 on": ("3", 0),
        "no element instance 0: '1' has none at all": ("0", 1),
        "number from 0 on, not 'car'": ("car", 0),
        "number from 0 on, not '0:'": ("0:", 0),
        "no metric 'beauty' of element instances; it has sureness": ("0:beauty", 0),
    }
    for sentence, (name, sample) in wrong.items():
        with pytest.raises(LeaplabError, match=sentence):
            known.map(Target("instance", name), sample, method="occlusion")
    with pytest.raises(LeaplabError, match="has no metric of element instances"):
        parted(tmp_path, instance_metrics={}).map(Target("instance", "0"), 0, method="occlusion")
    with pytest.raises(LeaplabError, match="tells no element instances apart"):
        parted(tmp_path, instances=()).map(Target("instance", "0"), 0, method="occlusion")
    truth = {of_parts: node("sureness", rows="output 0", truth="truth there")}
    with pytest.raises(LeaplabError, match="has no ground truth, which 'sureness' needs"):
        parted(tmp_path, instance_metrics=truth).map(Target("instance", "0"), 0, method="occlusion")


def test_what_there_is_not_is_said_in_a_sentence(found: tuple[Known, Any]) -> None:
    known, cutter = found
    split = cutter.split([cutter.named("map")])
    wrong = {
        "no loss 'nothing'; it has presence, brightest": Target("loss", "nothing"),
        "no metric 'nothing'; it has scores": Target("metric", "nothing"),
        "'scores' gives scores_best, scores_count": Target("metric", "scores_worst"),
        "no class 'nothing'; the model has x, y": Target("class", "nothing"),
        "shows no box of 'b' on '0', but boxes of a": Target("class", "b"),
        "no detection 4: 'boxes' shows 3 detections": Target("detection", "4"),
        "number from 1 on, not '0'": Target("detection", "0"),
        "number from 1 on, not 'car'": Target("detection", "car"),
        "no decoder 'ssd'; there is yolo": Target("detection", "1", decoder="ssd"),
        "not of 'nothing'": Target("nothing"),
    }
    for sentence, target in wrong.items():
        with pytest.raises(LeaplabError, match=sentence):
            known.map(target, 0, split)
    with pytest.raises(LeaplabError, match="no input 'other'; it has image"):
        known.map(Target("loss"), 0, split, input="other")
    for what in ("method", "baseline"):
        with pytest.raises(LeaplabError, match=f"There is no {what} 'guess'"):
            known.map(Target("loss"), 0, split, **{what: "guess"})


def test_a_sample_without_ground_truth_has_no_loss(tmp_path: Path) -> None:
    losses = {loss: node("presence", truth="truth there", rows="output 0")}
    known = Known(
        detector(tmp_path / "m.onnx"), {"image": np.zeros((1, 1, 8, 8), np.float32)}, {}, losses, channel_dim=1
    )
    with pytest.raises(LeaplabError, match="has no ground truth, which 'presence' needs"):
        known.map(Target("loss"))


def test_rows_of_newer_exports_lie_across_and_have_no_objectness(tmp_path: Path) -> None:
    """[4 + classes, rows]: two rows of one object and one of another, of which the better ones are detections."""
    columns = np.array(
        [
            [10, 10.5, 40],
            [10, 10, 40],
            [8, 8, 6],
            [8, 8, 6],
            [0.9, 0.8, 0.1],
            [0.1, 0.2, 0.6],
        ],
        np.float32,
    )
    across = np.concatenate([columns, np.zeros((6, 5), np.float32)], axis=1)
    weights = {"scale": across[None], "one": np.full((1, 4, 4, 1), 1 / 16, np.float32), "shape": np.array([-1, 1, 1])}
    nodes = [
        helper.make_node("Mul", ["image", "one"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed"], ["bright"], keepdims=0),
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "shape"], ["factor"]),
        helper.make_node("Mul", ["factor", "scale"], ["out"]),
    ]
    path = save_model(tmp_path / "m.onnx", {"image": ["n", 4, 4, 1]}, nodes, {"out": ["n", 6, 8]}, weights)
    known = Known(path, {"image": np.ones((1, 4, 4, 1), np.float32)})
    for number, score in (("1", 0.9), ("2", 0.6)):
        answer = known.map(Target("detection", number, decoder="yolo"), method="occlusion", block=4)
        np.testing.assert_allclose(answer.targets, [score], rtol=1e-6)
        np.testing.assert_allclose(answer.values, np.full((1, 4, 4), score), rtol=1e-6)
    with pytest.raises(LeaplabError, match="no detection 3: 2 rows score"):
        known.map(Target("detection", "3", decoder="yolo"), method="occlusion")


def test_numbers_of_masks_are_no_classes() -> None:
    from leaplab.worker.batch import Batch
    from leaplab.worker.explaining.detections import detection_target

    rows = np.zeros((1, 12, 5 + 2 + 3), np.float32)
    rows[0, 1] = [5, 5, 2, 2, 0.5, 0.2, 0.8, 9, 9, 9]
    prototypes = np.zeros((1, 3, 4, 4), np.float32)
    known: Any = Known(None, {"image": np.zeros((1, 4), np.float32)})
    sample = Batch("validation", [0], {}, {}, [rows, prototypes])
    _, measure, _ = detection_target(known, Target("detection", "1", decoder="yolo"), sample)
    np.testing.assert_allclose(measure(sample, []), [0.4])


def test_boxes_overlap_by_what_they_share() -> None:
    one = Box(0, 0, 2, 2, "a", 1)
    assert overlap(one, Box(1, 0, 3, 2, "a", 1)) == pytest.approx(1 / 3)
    assert overlap(one, one) == 1
    assert overlap(one, Box(2, 2, 3, 3, "a", 1)) == 0
    assert overlap(Box(1, 1, 1, 1, "a", 1), Box(1, 1, 1, 1, "a", 1)) == 0
