"""Heat-maps of Keras models, whose answer is known by hand."""

from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.protocol.explaining import CellsOrder, Target
from leaplab.protocol.inspection import SampleOrder
from leaplab.worker.explaining.cells import cells
from tests.leaplab.explain.known import CELL, CELLS, SIDE, STATE, Known, node, patch_images, patch_weights

LABELS = [["horizontal", "vertical"]]


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def patch_kernel(layer: Any) -> None:
    layer.set_weights([np.moveaxis(patch_weights()[:, 0], 0, -1)[:, :, None], np.array([-4.0, -4.0], np.float32)])


@pytest.fixture(scope="module")
def linear(keras: Any) -> Any:
    """Patches -> [B, 2] by a head that is linear: mean over the cells, then a dense layer."""
    image = keras.Input((SIDE, SIDE, 1), name="image")
    find = keras.layers.Conv2D(2, CELL, strides=CELL, activation="relu", name="find")
    found = find(image)
    mix = keras.layers.Dense(2, name="mix")
    out = mix(keras.layers.GlobalAveragePooling2D(name="mean")(found))
    patch_kernel(find)
    mix.set_weights([np.array([[1, -1], [-1, 2]], np.float32), np.array([0.5, 0.25], np.float32)])
    return keras.Model(image, out)


def found_in(image: Any) -> Any:
    """[6, 6, 2] the map of patches by hand."""
    cells = image[..., 0].reshape(CELLS, CELL, CELLS, CELL)
    return np.maximum(np.einsum("yixj,kij->yxk", cells, patch_weights()[:, 0]) - 4, 0)


def test_a_linear_head_gives_ablation_and_gradient_the_same_map(linear: Any) -> None:
    images, _, _ = patch_images(4, seed=2)
    known = Known(linear, {"image": images}, labels=LABELS)
    wanted = np.einsum("yxk,kc->cyx", found_in(images[3]), [[1, -1], [-1, 2]]) / CELLS**2

    for method in ("ablation", "gradient"):
        answer = known.map(Target("class", "all"), 3, method=method)
        np.testing.assert_allclose(answer.values, wanted, atol=2e-4)
        assert (answer.method, answer.layer) == (method, "find")
        np.testing.assert_allclose(answer.targets, wanted.sum(axis=(1, 2)) + np.array([0.5, 0.25]), rtol=1e-4)


def test_cells_are_what_the_last_map_holds_in_each_place(linear: Any) -> None:
    images, _, _ = patch_images(20, seed=4)
    known: Any = Known(linear, {"image": images}, labels=LABELS)
    every = tuple(SampleOrder(STATE, str(number)) for number in range(20))
    found = list(cells(known, CellsOrder(every[5], every[2:])))
    assert [len(each.places) for each in found] == [16, 2]
    assert {(each.layer, each.input, each.height, each.width) for each in found} == {("find", "image", SIDE, SIDE)}
    for each in found:
        assert each.values.dtype == np.float16
        for place, values in zip(each.places, each.values, strict=True):
            np.testing.assert_allclose(values, found_in(images[2 + place]), atol=5e-3)
    with pytest.raises(LeaplabError, match="no layer 'mix' with two axes|'mix' has no"):
        list(cells(known, CellsOrder(every[0], every, layer="mix")))


def test_the_mean_of_the_population_takes_the_place_of_zero(linear: Any) -> None:
    images, _, _ = patch_images(6, seed=3)
    known = Known(linear, {"image": images}, labels=LABELS)
    mean = np.mean([found_in(image) for image in images], axis=(0, 1, 2))
    wanted = (found_in(images[0]) - mean) @ [-1, 2] / CELLS**2
    for method in ("ablation", "gradient"):
        answer = known.map(Target("class", "vertical"), 0, method=method, baseline="mean")
        np.testing.assert_allclose(answer.values[0], wanted, atol=2e-4)


def squares(truth: Any, output: Any) -> Any:
    """numpy alone: no framework could take its gradient."""
    return np.square(output - truth).sum(axis=1)


def test_a_loss_of_numpy_is_followed_through_finite_differences(linear: Any) -> None:
    images, truths, _ = patch_images(3, seed=4)
    losses = {squares: node("squares", truth="truth class", output="output 0")}
    known = Known(linear, {"image": images}, {"class": truths}, losses, labels=LABELS)
    answer = known.map(Target("loss"), 1, method="gradient")

    maps = np.einsum("yxk,kc->yxc", found_in(images[1]), [[1, -1], [-1, 2]]) / CELLS**2
    outputs = maps.sum(axis=(0, 1)) + np.array([0.5, 0.25])
    np.testing.assert_allclose(answer.values[0], maps @ (2 * (outputs - truths[1])), rtol=1e-3, atol=1e-4)


def test_maps_of_several_layers_keep_their_sum(keras: Any) -> None:
    generator = np.random.default_rng(0)
    image = keras.Input((8, 8, 1), name="image")
    one = keras.layers.Conv2D(2, 1, name="one", use_bias=False)
    two = keras.layers.Conv2D(3, 2, strides=2, name="two", use_bias=False)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(two(one(image))))
    images = generator.normal(size=(2, 8, 8, 1)).astype(np.float32)
    known = Known(model, {"image": images}, labels=[["a", "b", "c"]])

    # All of it is linear, so that what each layer's cells have sums up to the output.
    both = known.map(Target("class", "b"), 0, method="gradient")
    assert both.layer == "one, two"
    assert both.values.shape == (1, 8, 8)
    np.testing.assert_allclose(both.values.sum(), both.targets[0], rtol=1e-2, atol=1e-4)
    single = known.map(Target("class", "b"), 0, method="gradient", layer="two")
    assert single.values.shape == (1, 4, 4)
    fine = known.map(Target("class", "b"), 0, method="gradient", layer="one")
    stretched = np.repeat(np.repeat(single.values, 2, axis=1), 2, axis=2) / 4
    np.testing.assert_allclose(both.values, (fine.values + stretched) / 2, atol=1e-5)


def test_integrated_gradients_sum_up_to_the_difference_from_the_baseline(keras: Any) -> None:
    keras.utils.set_random_seed(1)
    image = keras.Input((9, 8, 3), name="image")
    hidden = keras.layers.Dense(12, activation="tanh")(keras.layers.Flatten()(image))
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(hidden))
    images = np.random.default_rng(1).normal(size=(3, 9, 8, 3)).astype(np.float32)
    known = Known(model, {"image": images}, labels=[["a", "b"]])
    answer = known.map(Target("class", "a"), 2, method="gradient", layer="image")

    ends = model.predict_on_batch(np.stack([images[2], np.zeros_like(images[2])]))[:, 0]
    assert answer.values.shape == (1, 9, 8)
    assert abs(answer.values.sum() - (ends[0] - ends[1])) < 0.01 * abs(ends[0] - ends[1]) + 1e-4


def test_too_many_outputs_have_no_slope(keras: Any) -> None:
    image = keras.Input((70, 70, 1), name="image")
    maps = keras.layers.Conv2D(1, 1)(keras.layers.Conv2D(1, 1)(image))
    known = Known(keras.Model(image, maps), {"image": np.ones((1, 70, 70, 1), np.float32)}, labels=[["a"]])
    with pytest.raises(LeaplabError, match="4,900 numbers a sample"):
        known.map(Target("class", "a"), method="gradient")


def test_a_model_that_is_a_layer_is_cut_behind_it(keras: Any, linear: Any) -> None:
    inner_image = keras.Input((SIDE, SIDE, 1))
    find = keras.layers.Conv2D(2, CELL, strides=CELL, activation="relu")
    backbone = keras.Model(inner_image, find(inner_image), name="backbone")
    patch_kernel(find)
    image = keras.Input((SIDE, SIDE, 1), name="image")
    mix = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(image, mix(keras.layers.GlobalMaxPooling2D()(backbone(image))))
    mix.set_weights([np.eye(2, dtype=np.float32)])
    images, truths, places = patch_images(5, seed=7, patches=1)
    known = Known(model, {"image": images}, labels=LABELS)
    answer = known.map(Target("class", LABELS[0][int(truths[2].argmax())]), 2)

    assert answer.layer == "backbone"
    assert (answer.values[0] > 1).tolist() == places[2].tolist()


def test_a_subclassed_model_is_occluded_and_says_so(keras: Any) -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Conv2D(2, 4, strides=4)

        def call(self, image: Any) -> Any:
            return keras.ops.mean(self.inner(image), axis=(1, 2))

    model = Own()
    images, _, _ = patch_images(2, seed=9)
    model(images)
    known = Known(model, {"image": images}, labels=LABELS)
    answer = known.map(Target("class", "vertical"))
    assert answer.method == "occlusion"
    assert "tells no graph" in answer.notices[0]
    with pytest.raises(LeaplabError, match="tell their graph"):
        known.map(Target("class", "vertical"), method="gradient")
    with pytest.raises(LeaplabError, match="leave out --layer"):
        known.map(Target("class", "vertical"), layer="inner")


def test_layers_are_listed_with_what_they_are_taken_for(linear: Any) -> None:
    from leaplab.protocol.explaining import LayersOrder
    from leaplab.protocol.inspection import SampleOrder
    from leaplab.worker.explaining.explain import layers

    known: Any = Known(linear, {"image": patch_images(2, seed=1)[0]}, labels=LABELS)
    (found,) = layers(known, LayersOrder(SampleOrder(STATE, "0")))
    assert (found.map.tensor, found.map.height, found.map.channels, found.use) == ("find", CELLS, 2, "head, deep")
    with pytest.raises(LeaplabError, match="no layer 'nowhere'"):
        known.map(Target("class", "vertical"), layer="nowhere")
