from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.detection.grid import Grid

ANCHORS = (
    ((5.0, 12.0), (10.0, 10.0), (9.0, 22.0)),
    ((20.0, 17.0), (19.0, 40.0), (36.0, 29.0)),
    ((40.0, 75.0), (70.0, 50.0), (120.0, 95.0)),
)
GRID = Grid(64, 96, (8, 16, 32), ANCHORS)
IMAGES = np.random.default_rng(0).random((2, 64, 96, 3), dtype=np.float32)


def build(logits: bool = False, grid: Grid = GRID) -> Any:
    from tasks.detection.keras_model import yolov7_tiny

    return yolov7_tiny(grid, 3, width=0.125, logits=logits)


@pytest.fixture(scope="module")
def model() -> Any:
    return build()


def test_the_output_has_a_row_for_each_of_the_grid(model: Any) -> None:
    assert np.asarray(model(IMAGES)).shape == (2, GRID.rows, 8)


def test_at_first_each_box_is_its_anchor_in_the_middle_of_its_cell(model: Any) -> None:
    net = build()
    for stride in GRID.strides:
        for name in ("centre", "size", "presence"):
            kernel, bias = net.get_layer(f"{name}_{stride}").get_weights()
            net.get_layer(f"{name}_{stride}").set_weights([kernel * 0, bias])
    output = np.asarray(net(IMAGES))[0]
    for row, (level, anchor, y, x) in enumerate(GRID.place_of_row.tolist()):
        stride, (width, height) = GRID.strides[level], GRID.anchors[level][anchor]
        np.testing.assert_allclose(output[row, :4], ((x + 0.5) * stride, (y + 0.5) * stride, width, height), rtol=1e-6)


def test_a_new_net_takes_an_image_to_hold_eight_objects_a_level() -> None:
    net = build()
    for stride in GRID.strides:
        for name in ("centre", "size", "presence"):
            kernel, bias = net.get_layer(f"{name}_{stride}").get_weights()
            net.get_layer(f"{name}_{stride}").set_weights([kernel * 0, bias])
    objectness = np.asarray(net(IMAGES))[0, :, 4]
    for level in range(2):  # the coarsest has hardly more rows than eight
        assert objectness[GRID.level_of_row == level].sum() == pytest.approx(8, rel=0.1)


def test_logits_are_those_of_the_probabilities_and_the_boxes_are_the_same(model: Any) -> None:
    with_logits = build(logits=True)
    with_logits.set_weights(model.get_weights())
    logits, output = np.asarray(with_logits(IMAGES)), np.asarray(model(IMAGES))
    np.testing.assert_allclose(logits[..., :4], output[..., :4], rtol=1e-5)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits[..., 4:])), output[..., 4:], atol=1e-6)


def test_the_published_net_has_about_six_million_parameters() -> None:
    from tasks.detection.keras_model import yolov7_tiny

    assert 5.8e6 < yolov7_tiny(GRID, 80).count_params() < 6.4e6


def test_a_saved_net_is_read_back_without_our_code_and_exports_to_onnx(model: Any, tmp_path: Path) -> None:
    import keras

    from tasks.training.export import write_onnx
    from tasks.training.keras2_file import save_for_keras_2

    save_for_keras_2(model, tmp_path / "detector.h5")
    read_back = keras.models.load_model(tmp_path / "detector.h5", compile=False)
    np.testing.assert_array_equal(np.asarray(read_back(IMAGES)), np.asarray(model(IMAGES)))
    assert write_onnx(tmp_path / "detector", IMAGES) < 1e-4


def test_cells_and_anchors_do_not_train() -> None:
    net = build(logits=True)
    net.compile("sgd", "mse")
    net.fit(IMAGES, np.zeros((2, GRID.rows, 8), np.float32), verbose=0)
    for level, stride in enumerate(GRID.strides):
        rows, columns = GRID.shapes[level]
        scale, offset, mean, variance = net.get_layer(f"cells_{stride}").get_weights()
        np.testing.assert_array_equal(scale, 2 * stride)
        cells = [[(x - 0.5) * stride, (y - 0.5) * stride] for y in range(rows) for x in range(columns)]
        np.testing.assert_array_equal(offset.reshape(-1, 2), cells)
        scale, offset = net.get_layer(f"anchors_{stride}").get_weights()[:2]
        np.testing.assert_array_equal(scale, 4 * np.array(GRID.anchors[level], np.float32).reshape(-1))
        np.testing.assert_array_equal([*mean, *offset], 0)
        np.testing.assert_array_equal(variance, variance[0])


def test_a_grid_of_other_strides_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strides \(8, 16, 32\), not \(4, 8, 16\)"):
        build(grid=Grid(64, 96, (4, 8, 16), ANCHORS))
