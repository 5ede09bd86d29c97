"""Heat-maps that the integration's own visualizers draw."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from leaplab.protocol.explaining import Target
from leaplab.worker.explaining.drawn import stretched
from tests.leaplab.explain.known import CELLS, SIDE, Known, node, patch_images, patch_model

LABELS = [["horizontal", "vertical"]]
TOP, LEFT, HEIGHT, WIDTH = 4, 2, 12, 18


def cropped(image: Any) -> Any:
    """A picture of a part of the image."""
    part = image[0, TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH]
    return SimpleNamespace(data=(np.clip(part, 0, 1) * 255).astype(np.uint8))


def cropped_heat(image: Any) -> Any:
    """The same part of a map, and nothing of it that is negative."""
    assert image.min() >= 0
    return np.maximum(image[0, TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH].mean(axis=-1), 0)


def patches(tmp_path: Path, heat: Any = cropped_heat, **arguments: Any) -> Known:
    images, truths, _ = patch_images(4, seed=8)
    shown = node("shown", image=arguments.pop("source", "input image"), **arguments.pop("others", {}))
    object.__setattr__(shown, "type", arguments.pop("type", "Image"))
    return Known(
        patch_model(tmp_path / "model.onnx"),
        {"image": images},
        {"class": truths},
        visualizers={cropped: shown},
        labels=LABELS,
        heat={"shown": heat},
    )


def explained(known: Known, tmp_path: Path, **order: Any) -> Any:
    cutter = known.cutter(tmp_path)
    split = cutter.split(cutter.cuts(0).chosen(False))
    return known.map(Target("class", "all"), 1, split, **order)


@pytest.mark.parametrize("wanted", [(24, 24), (7, 13), (6, 6), (1, 40)])
def test_a_map_is_stretched_as_opencv_stretches_it(wanted: tuple[int, int]) -> None:
    values = np.random.default_rng(2).normal(size=(6, 6))
    known = cv2.resize(values, wanted[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(stretched(values, wanted), known, atol=1e-6)


def test_the_function_gets_the_map_in_the_place_of_the_input(tmp_path: Path) -> None:
    answer = explained(patches(tmp_path), tmp_path)
    drawing = answer.drawing
    assert drawing.visualizer == "shown"
    assert drawing.picture.shape == (HEIGHT, WIDTH, 1)
    assert drawing.values.shape == (2, HEIGHT, WIDTH)
    assert answer.values.shape == (2, CELLS, CELLS)
    assert answer.notices == ()
    for values, laid in zip(answer.values, drawing.values, strict=True):
        assert (values.max() > 0) or (values.min() < 0)
        raises, lowers = (
            cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            for part in (np.maximum(values, 0), np.maximum(-values, 0))
        )
        whole = raises - lowers
        np.testing.assert_allclose(laid, whole[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH], atol=1e-6)
    assert (drawing.values < 0).any()


def test_raw_inputs_and_functions_of_one_sample_are_served(tmp_path: Path) -> None:
    from code_loader.contract.datasetclasses import RawInputsForHeatmap

    seen = []

    def of_one(image: Any, raw: Any) -> Any:
        assert isinstance(raw, RawInputsForHeatmap)
        if image.ndim == 4:
            raise ValueError("a batch")
        seen.append(raw.raw_input_by_vizualizer_arg_name["image"])
        return image[..., 0] * 2

    known = patches(tmp_path, of_one)
    known.code_loader.loader.get_heatmap_visualizer_raw_vis_input_arg_name = lambda name: "raw"
    answer = explained(known, tmp_path)
    assert answer.drawing.values.shape == (2, SIDE, SIDE)
    np.testing.assert_array_equal(seen[0], patch_images(4, seed=8)[0][1])
    np.testing.assert_allclose(
        answer.drawing.values[0].sum(), 2 * stretched(answer.values[0], (SIDE, SIDE)).sum(), rtol=1e-4
    )


def failing(image: Any) -> Any:
    raise ValueError("no such colour")


@pytest.mark.parametrize(
    ("heat", "sentence"),
    [
        (failing, "fails (ValueError: no such colour)"),
        (lambda image: image[0, :, 0, 0], "gives an array of shape (24,)"),
        (lambda image: image[0, ..., 0] * np.nan, "no map [H, W] of numbers"),
    ],
)
def test_a_function_that_fails_is_told_and_leaplab_draws(tmp_path: Path, heat: Any, sentence: str) -> None:
    answer = explained(patches(tmp_path, heat), tmp_path)
    assert answer.drawing is None
    assert len(answer.notices) == 1
    assert answer.notices[0].startswith("leaplab draws the map over the input itself: the heat-map function of")
    assert sentence in answer.notices[0]


@pytest.mark.parametrize(
    "options",
    [{"source": "truth class"}, {"source": "output 0"}, {"others": {"truth": "truth class"}}, {"type": "Graph"}],
)
def test_visualizers_of_something_else_draw_nothing(tmp_path: Path, options: Any) -> None:
    answer = explained(patches(tmp_path, **options), tmp_path)
    assert (answer.drawing, answer.notices) == (None, ())


def test_nothing_is_drawn_where_the_truth_is_asked_for(tmp_path: Path) -> None:
    assert explained(patches(tmp_path), tmp_path, asks_truth=True).drawing is None
