"""Heat-maps of models whose heat-map is known beforehand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from leaplab.errors import LeaplabError
from leaplab.protocol.explaining import Target
from tests.leaplab.explain.known import (
    CELLS,
    SIDE,
    Known,
    node,
    patch_images,
    patch_model,
    save_model,
)

LABELS = [["horizontal", "vertical"]]


def overlap_of_top(values: Any, places: Any) -> float:
    """IoU of as many of the highest cells as there are patches with the patches."""
    top = np.zeros(values.size, bool)
    top[np.argsort(-values.reshape(-1))[: places.sum()]] = True
    return float((top & places.reshape(-1)).sum() / (top | places.reshape(-1)).sum())


@pytest.mark.parametrize("head", ["mean", "dense"])
def test_patches_that_decide_the_class_raise_it(tmp_path: Path, head: str) -> None:
    images, truths, places = patch_images(50, seed=1)
    known = Known(patch_model(tmp_path / "model.onnx", head), {"image": images}, {"class": truths}, labels=LABELS)
    cutter = known.cutter(tmp_path)
    split = cutter.split(cutter.cuts(0).chosen(False))
    assert [each.tensor for each in split.maps] == ["found"]

    found = []
    for row in range(50):
        name = LABELS[0][int(truths[row].argmax())]
        answer = known.map(Target("class", name), row, split, baseline="mean")
        assert answer.values.shape == (1, CELLS, CELLS)
        found.append(overlap_of_top(answer.values[0], places[row]))
    assert np.median(found) >= 0.8


def test_a_map_is_what_the_class_loses_without_each_cell(tmp_path: Path) -> None:
    # By hand: relu(16 - 4) in each patch's cell, averaged over 36 cells, logits are plus and minus that.
    images = np.zeros((2, SIDE, SIDE, 1), np.float32)
    images[0] = patch_images(1, seed=3)[0][0] * 0
    images[0, 4:8, 8:12, 0] = np.repeat([[1.0], [1.0], [-1.0], [-1.0]], 4, axis=1)
    known = Known(patch_model(tmp_path / "model.onnx"), {"image": images}, labels=LABELS)
    cutter = known.cutter(tmp_path)
    answer = known.map(Target("class", "all"), 0, cutter.split(cutter.cuts(0).chosen(False)))

    logit = 12 / 36
    share = 1 / (1 + np.exp(-2 * logit))
    wanted = np.zeros((2, CELLS, CELLS))
    wanted[0, 1, 2], wanted[1, 1, 2] = share - 0.5, 0.5 - share
    assert answer.names == ("horizontal", "vertical")
    np.testing.assert_allclose(answer.targets, [share, 1 - share], rtol=1e-5)
    np.testing.assert_allclose(answer.values, wanted, atol=1e-6)


def quadrant_loss(truth: Any, output: Any) -> Any:
    """Looks at the upper left quadrant of a map of outputs alone."""
    half = CELLS // 2
    return np.abs(output - truth)[:, :half, :half].sum(axis=(1, 2))


def test_a_loss_that_looks_at_one_quadrant_changes_there_alone(tmp_path: Path) -> None:
    weights: dict[str, Any] = {
        "kernel": np.full((1, 1, 4, 4), 1 / 16, np.float32),
        "narrow": np.ones((1, 1, 1, 1), np.float32),
        "shape": np.array([-1, CELLS, CELLS], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["means"], strides=[4, 4]),
        helper.make_node("Conv", ["means", "narrow"], ["out"]),
        helper.make_node("Reshape", ["out", "shape"], ["map"]),
    ]
    path = save_model(
        tmp_path / "m.onnx", {"image": ["n", 1, SIDE, SIDE]}, nodes, {"map": ["n", CELLS, CELLS]}, weights
    )
    generator = np.random.default_rng(2)
    images = generator.uniform(0.5, 1, (3, 1, SIDE, SIDE)).astype(np.float32)
    truths = np.zeros((3, CELLS, CELLS), np.float32)
    truths[:, 0, 0] = 9  # there the loss falls with the output
    known = Known(
        path,
        {"image": images},
        {"map": truths},
        {quadrant_loss: node("quadrant", truth="truth map", output="output 0")},
        channel_dim=1,
    )
    cutter = known.cutter(tmp_path)
    answer = known.map(Target("loss"), 1, cutter.split(cutter.cuts(0).chosen(False)))

    means = images[1, 0].reshape(CELLS, 4, CELLS, 4).mean(axis=(1, 3))
    wanted = np.zeros((CELLS, CELLS))
    wanted[:3, :3] = means[:3, :3]
    wanted[0, 0] *= -1
    assert answer.layer == "means"
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-5)


def linear_model(path: Path, weights: Any) -> Path:
    matrix = {"weights": weights.reshape(-1, 1).astype(np.float32)}
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["y"]),
    ]
    return save_model(path, {"x": ["n", *weights.shape]}, nodes, {"y": ["n", 1]}, matrix)


@pytest.mark.parametrize("shape", [(9, 8, 3), (11,)])
def test_occlusion_of_a_linear_model_is_weight_times_input(tmp_path: Path, shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(4)
    weights, inputs = generator.normal(size=shape), generator.normal(size=(3, *shape)).astype(np.float32)
    known = Known(linear_model(tmp_path / "m.onnx", weights), {"x": inputs}, labels=[["y"]])
    answer = known.map(Target("class", "y"), 2, method="occlusion", block=1)

    product = weights * inputs[2]
    wanted = product.sum(axis=-1) if len(shape) == 3 else product[None]
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-5)
    np.testing.assert_allclose(answer.targets, [product.sum()], rtol=1e-4)


def test_the_mean_of_the_population_stands_for_a_column(tmp_path: Path) -> None:
    inputs = np.array([[1, 5, 0.5], [3, 1, 0.25]], np.float32)
    known = Known(linear_model(tmp_path / "m.onnx", np.array([1.0, 2, 4])), {"x": inputs}, labels=[["y"]])
    answer = known.map(Target("class", "y"), method="occlusion", baseline="mean")

    np.testing.assert_allclose(answer.values, [[[1 - 2, 2 * (5 - 3), 4 * (0.5 - 0.375)]]], rtol=1e-6)
    assert answer.baseline == "mean"


def test_windows_of_a_series_overlap_by_half_and_share_their_cells(tmp_path: Path) -> None:
    inputs = np.ones((1, 5, 2), np.float32)
    weights = np.array([[1, 0], [2, 0], [4, 0], [8, 0], [16, 1]], float)
    known = Known(linear_model(tmp_path / "m.onnx", weights), {"x": inputs}, labels=[["y"]])
    answer = known.map(Target("class", "y"), method="occlusion", block=2)

    # Windows of two steps from 0, 1, 2 and 3; each step has the mean of those that it lies in.
    windows = [3, 6, 12, 25]
    wanted = [windows[0], (3 + 6) / 2, (6 + 12) / 2, (12 + 25) / 2, windows[3]]
    np.testing.assert_allclose(answer.values, [[wanted]], rtol=1e-6)


def test_numbers_of_words_have_no_mean(tmp_path: Path) -> None:
    inputs = np.array([[3, 17, 0, 4]], np.float32)
    known = Known(linear_model(tmp_path / "m.onnx", np.array([1.0, 1, 1, 1])), {"x": inputs}, labels=[["y"]])
    answer = known.map(Target("class", "y"), method="occlusion", baseline="mean")

    np.testing.assert_allclose(answer.values, [[[3, 17, 0, 4]]])
    assert answer.baseline == "zero"
    assert "whole numbers" in answer.notices[0]


def test_a_dead_model_has_a_map_of_zeros(tmp_path: Path) -> None:
    known = Known(linear_model(tmp_path / "m.onnx", np.zeros(4)), {"x": np.ones((1, 4), np.float32)}, labels=[["y"]])
    assert not known.map(Target("class", "y"), method="occlusion").values.any()


def hollow_loss(output: Any) -> Any:
    """No number where the output falls below 2."""
    return np.where(output[:, 0] < 2, np.nan, output[:, 0])


def test_blocks_that_leave_no_number_are_unknown_and_counted(tmp_path: Path) -> None:
    path = linear_model(tmp_path / "m.onnx", np.array([1.0, 1, 1]))
    losses = {hollow_loss: node("hollow", output="output 0")}
    known = Known(path, {"x": np.array([[0.5, 2, 0.25], [0.9, 0.9, 0.9]], np.float32)}, {}, losses)
    answer = known.map(Target("loss"), method="occlusion", block=1)

    np.testing.assert_allclose(answer.values, [[[0.5, np.nan, 0.25]]])
    assert "1 of the 3 blocks" in answer.notices[0]
    with pytest.raises(LeaplabError, match="whatever is taken away"):
        known.map(Target("loss"), 1, method="occlusion", block=1)


@pytest.mark.parametrize(("batch", "channels_first"), [("batch", False), (1, True), (4, False)])
def test_any_batch_size_and_layout_gives_the_same_map(tmp_path: Path, batch: Any, channels_first: bool) -> None:
    images, truths, _ = patch_images(6, seed=8)
    if channels_first:
        images = np.moveaxis(images, -1, 1)
    maps = []
    for number, size in enumerate(("batch", batch)):
        path = patch_model(tmp_path / f"{number}.onnx", batch=size, channels_first=channels_first)
        known = Known(
            path, {"image": images}, {"class": truths}, labels=LABELS, channel_dim=1 if channels_first else -1
        )
        cutter = known.cutter(tmp_path / str(number))
        split = cutter.split(cutter.cuts(0).chosen(False))
        maps.append(known.map(Target("class", "vertical"), 2, split, baseline="mean").values)
        for method in ("occlusion",):
            maps.append(known.map(Target("class", "vertical"), 2, method=method, baseline="blur").values)
    np.testing.assert_allclose(maps[0], maps[2], atol=1e-6)
    np.testing.assert_allclose(maps[1], maps[3], atol=1e-6)
    assert maps[1].shape == (1, SIDE, SIDE)


def test_a_latent_vector_grows_less_like_another_without_what_they_share(tmp_path: Path) -> None:
    images, _, places = patch_images(20, seed=6, patches=1)
    known = Known(patch_model(tmp_path / "m.onnx"), {"image": images}, labels=LABELS)
    cutter = known.cutter(tmp_path)
    split = cutter.split(cutter.cuts(0).chosen(False))
    edges = np.maximum([known_edges(images[row]) for row in range(20)], 0)
    vectors = edges.mean(axis=(1, 2))
    answer = known.map(Target("similar", "3", vectors[3]), 0, split)

    changed = np.repeat(edges[:1], CELLS * CELLS, axis=0)
    for cell in range(CELLS * CELLS):
        changed[cell, cell // CELLS, cell % CELLS] = 0
    near = [cosine(each, vectors[3]) for each in changed.mean(axis=(1, 2))]
    wanted = cosine(vectors[0], vectors[3]) - np.array(near).reshape(CELLS, CELLS)
    np.testing.assert_allclose(answer.targets, [cosine(vectors[0], vectors[3])], rtol=1e-5)
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-5)
    assert places[0].any()


def known_edges(image: Any) -> Any:
    """[6, 6, 2] what the convolution finds in each cell, before its ReLU."""
    from tests.leaplab.explain.known import patch_weights

    cells = image[..., 0].reshape(CELLS, 4, CELLS, 4)
    return np.einsum("yixj,kij->yxk", cells, patch_weights()[:, 0]) - 4


def cosine(one: Any, other: Any) -> float:
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths else float("nan")


def test_a_map_of_many_cells_is_taken_away_in_tiles_and_says_so(tmp_path: Path) -> None:
    side = 64
    weights = {"kernel": np.ones((1, 1, 1, 1), np.float32), "mix": np.ones((1, 1), np.float32)}
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "mix"], ["y"]),
    ]
    path = save_model(tmp_path / "m.onnx", {"image": ["n", 1, side, side]}, nodes, {"y": ["n", 1]}, weights)
    images = np.random.default_rng(0).random((1, 1, side, side), np.float32)
    known = Known(path, {"image": images}, labels=[["y"]], channel_dim=1)
    cutter = known.cutter(tmp_path)
    split = cutter.split([cutter.named("map")])

    tiles = known.map(Target("class", "y"), 0, split)
    sums = images[0, 0].reshape(32, 2, 32, 2).sum(axis=(1, 3)) / side**2
    np.testing.assert_allclose(tiles.values[0], np.repeat(np.repeat(sums, 2, axis=0), 2, axis=1), atol=1e-6)
    assert "4,096 cells, which are taken away 2 x 2 at a time; --block 1" in tiles.notices[0]
    alone = known.map(Target("class", "y"), 0, split, block=1)
    np.testing.assert_allclose(alone.values[0], images[0, 0] / side**2, atol=1e-6)
    assert alone.notices == ()
