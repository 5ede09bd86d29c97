"""The words of Keras 2 are written out here as its own files have them.

That the platform's parser reads them, tests/contract/test_parser_of_the_platform.py says.
"""

import json
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

NUMBERS = np.random.default_rng(4).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def keras() -> Any:
    import keras

    return keras


def save(model: Any, path: Path) -> Any:
    """Write the model; the configuration that the file has."""
    from tasks.training.keras2_file import save_for_keras_2

    save_for_keras_2(model, path)
    with h5py.File(path) as file:
        return json.loads(file.attrs["model_config"])


def test_a_small_net_is_told_as_keras_2_tells_it(keras: Any, tmp_path: Path) -> None:
    numbers = keras.Input((4,), name="numbers")
    hidden = keras.layers.LeakyReLU(0.25, name="leaky")(keras.layers.Dense(4, name="dense", use_bias=False)(numbers))
    model = keras.Model(numbers, keras.layers.Add(name="sum")([hidden, numbers]), name="small")

    config = save(model, tmp_path / "small.h5")
    layers = {layer["name"]: layer for layer in config["config"]["layers"]}
    assert config["class_name"] == "Functional"
    assert (config["config"]["input_layers"], config["config"]["output_layers"]) == (["numbers", 0, 0], ["sum", 0, 0])
    assert layers["numbers"] == {
        "class_name": "InputLayer",
        "config": {"batch_input_shape": [None, 4], "dtype": "float32", "sparse": False, "ragged": False,
                   "name": "numbers"},
        "name": "numbers",
        "inbound_nodes": [],
    }  # fmt: skip
    assert layers["leaky"] == {
        "class_name": "LeakyReLU",
        "config": {"name": "leaky", "trainable": True, "dtype": "float32", "alpha": 0.25},
        "name": "leaky",
        "inbound_nodes": [[["dense", 0, 0, {}]]],
    }
    assert layers["sum"]["inbound_nodes"] == [[["leaky", 0, 0, {}], ["numbers", 0, 0, {}]]]
    dense = layers["dense"]["config"]
    assert dense["kernel_initializer"] == {"class_name": "GlorotUniform", "config": {"seed": None}}
    assert "quantization_config" not in dense


def test_whether_dropout_trains_is_left_to_the_caller(keras: Any, tmp_path: Path) -> None:
    numbers = keras.Input((4,), name="numbers")
    model = keras.Model(numbers, keras.layers.Dropout(0.5, name="dropout")(numbers))
    # Keras 3 writes training: false here, with which Keras 2 would never drop anything.
    (_, dropout) = save(model, tmp_path / "net.h5")["config"]["layers"]
    assert dropout["inbound_nodes"] == [[["numbers", 0, 0, {}]]]


def test_a_layer_that_is_called_twice_has_two_calls(keras: Any, tmp_path: Path) -> None:
    one, other = keras.Input((4,), name="one"), keras.Input((4,), name="other")
    shared = keras.layers.Dense(2, name="shared")
    first, second = shared(one), shared(other)
    model = keras.Model([one, other], [keras.layers.Subtract(name="less")([first, second]), first])

    config = save(model, tmp_path / "twice.h5")["config"]
    layers = {layer["name"]: layer for layer in config["layers"]}
    assert layers["shared"]["inbound_nodes"] == [[["one", 0, 0, {}]], [["other", 0, 0, {}]]]
    assert layers["less"]["inbound_nodes"] == [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]
    assert config["output_layers"] == [["less", 0, 0], ["shared", 0, 0]]


def test_keras_3_reads_the_same_model_without_a_warning(
    keras: Any, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    numbers = keras.Input((4,), name="numbers")
    x = keras.layers.ReLU(negative_slope=0.1)(keras.layers.BatchNormalization()(keras.layers.Dense(5)(numbers)))
    x = keras.layers.Concatenate()([keras.layers.Dropout(0.5)(x), numbers])
    model = keras.Model(numbers, [keras.layers.Dense(2)(x), x])
    # Weights that are not those of the beginning.
    model.set_weights([weights + 0.5 for weights in model.get_weights()])

    save(model, tmp_path / "net.h5")
    read_back = keras.models.load_model(tmp_path / "net.h5", compile=False)
    for found, expected in zip(read_back(NUMBERS), model(NUMBERS), strict=True):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert [layer.name for layer in read_back.layers] == [layer.name for layer in model.layers]
    assert [str(warning.message) for warning in recwarn if warning.category is UserWarning] == []


def test_the_state_of_a_training_is_left_out(keras: Any, tmp_path: Path) -> None:
    numbers = keras.Input((4,))
    model = keras.Model(numbers, keras.layers.Dense(3)(numbers))
    model.compile("adam", "mse")
    model.fit(NUMBERS, np.zeros((6, 3), np.float32), verbose=0)

    save(model, tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert list(file) == ["model_weights"]
        assert set(file.attrs) == {"model_config", "keras_version", "backend"}


def with_an_operation(keras: Any) -> Any:
    numbers = keras.Input((4,))
    return keras.Model(numbers, keras.layers.Dense(2)(numbers) + 1.0)


def with_a_layer_of_its_own(keras: Any) -> Any:
    class Doubling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, numbers: Any) -> Any:
            return 2 * numbers

    numbers = keras.Input((4,))
    return keras.Model(numbers, Doubling(name="doubling")(numbers))


def of_another_kind(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def synchronized(keras: Any) -> Any:
    numbers = keras.Input((4,))
    return keras.Model(numbers, keras.layers.BatchNormalization(synchronized=True, name="norm")(numbers))


def with_query_and_value(keras: Any) -> Any:
    numbers = keras.Input((4, 2))
    return keras.Model(numbers, keras.layers.MultiHeadAttention(1, 2, name="attention")(numbers, value=numbers))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (of_another_kind, "The model is of the kind Sequential: only a functional one can be written."),
        (with_an_operation, "add.* is of the kind Add, which is no layer of Keras itself."),
        (with_a_layer_of_its_own, "doubling is of the kind Doubling, which is no layer of Keras itself."),
        (synchronized, "The layer norm has synchronized=True, which Keras 2 does not know."),
        (with_query_and_value, "The layer attention is called with more than its inputs"),
    ],
)
def test_what_keras_2_has_no_words_for_is_told(keras: Any, build: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        save(build(keras), tmp_path / "net.h5")
    assert list(tmp_path.iterdir()) == [], "no half-written file is left behind"
