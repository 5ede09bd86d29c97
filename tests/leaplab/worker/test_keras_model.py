"""Keras models. All in one process, since importing Keras takes longer than the rest of the tests."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leaplab
from leaplab.errors import LeaplabError
from tests.leaplab.worker import keras_checks

IMAGES = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def functional(keras):
    """Image and bias in, classes and a strength out: two heads on two layers."""
    keras.utils.set_random_seed(0)
    image, bias = keras.Input((6, 6, 2), name="image"), keras.Input((3,), name="bias")
    maps = keras.layers.Conv2D(4, 3, activation="relu", name="maps")(image)
    features = keras.layers.Flatten(name="flat")(keras.layers.MaxPooling2D(name="pool")(maps))
    hidden = keras.layers.Dense(7, activation="relu", name="hidden")(features)
    logits = keras.layers.Dense(3, name="logits")(hidden)
    classes = keras.layers.Softmax(name="classes")(keras.layers.Add()([logits, bias]))
    strength = keras.layers.Conv2D(1, 1, name="strength")(maps)
    return keras.Model([image, bias], [classes, strength], name="both")


def layers(functional, image) -> Any:
    """Every layer's output by hand, in numpy."""
    weights = {layer.name: layer.get_weights() for layer in functional.layers if layer.get_weights()}
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(1, 2))
    maps = np.maximum(np.einsum("byxcij,ijco->byxo", windows, weights["maps"][0]) + weights["maps"][1], 0)
    pooled = maps.reshape(len(image), 2, 2, 2, 2, 4).max(axis=(2, 4))
    hidden = np.maximum(pooled.reshape(len(image), -1) @ weights["hidden"][0] + weights["hidden"][1], 0)
    logits = hidden @ weights["logits"][0] + weights["logits"][1]
    return maps, hidden, logits, np.einsum("byxc,co->byxo", maps, weights["strength"][0][0, 0]) + weights["strength"][1]


def close(found, wanted) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_saved_functional_model_gives_its_outputs_and_what_feeds_its_heads(functional, tmp_path, suffix):
    from leaplab.worker.loading import load_predictor

    functional.save(tmp_path / f"both{suffix}")
    predictor = load_predictor(tmp_path / f"both{suffix}")
    bias = np.arange(15, dtype=np.float32).reshape(5, 3) / 10
    (classes, strength), latent = predictor.predict([IMAGES, bias])

    maps, hidden, logits, wanted_strength = layers(functional, IMAGES)
    powers = np.exp(logits + bias)
    close(classes, powers / powers.sum(axis=1, keepdims=True))
    close(strength, wanted_strength)
    # Both heads, in the order of the outputs: the one on the convolution is nearer to its output.
    assert set(predictor.latent_source.split(", ")) == {"hidden", "maps"}
    wanted = {"hidden": hidden, "maps": maps.mean(axis=(1, 2))}
    close(latent, np.concatenate([wanted[name] for name in predictor.latent_source.split(", ")], axis=1))
    assert (predictor.format, predictor.fixed_batch) == ("keras", None)


def test_named_layer_is_the_latent_space(functional):
    from leaplab.worker.loading import load_predictor

    predictor = load_predictor(functional, latent="maps")
    _, latent = predictor.predict([IMAGES, np.zeros((5, 3), np.float32)])

    close(latent, layers(functional, IMAGES)[0].mean(axis=(1, 2)))
    with pytest.raises(LeaplabError, match="has no layer 'nowhere'; it has .*hidden"):
        load_predictor(functional, latent="nowhere")


def test_sequential_model_with_one_input_and_a_fixed_batch(keras):
    from leaplab.worker.loading import load_predictor

    model = keras.Sequential([
        keras.Input(batch_shape=(5, 4)), keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(2),
    ])  # fmt: skip
    vectors = IMAGES.reshape(5, -1)[:, :4]
    (first, offset), (second, end) = model.layers[0].get_weights(), model.layers[1].get_weights()

    predictor = load_predictor(model)
    (outputs,), latent = predictor.predict([vectors])

    close(latent, np.tanh(vectors @ first + offset))
    close(outputs, latent @ second + end)
    assert predictor.fixed_batch == 5


def test_wrong_number_of_inputs_is_told(functional):
    from leaplab.worker.loading import load_predictor

    with pytest.raises(LeaplabError, match=r"takes 2 inputs \(image, bias\), but the integration feeds it 1"):
        load_predictor(functional).predict([IMAGES])


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_file_that_is_no_keras_model_is_told(keras, tmp_path, name):
    from leaplab.worker.loading import load_predictor

    (tmp_path / name).write_bytes(b"no model")
    with pytest.raises(LeaplabError, match=f"{name} cannot be read as a Keras model"):
        load_predictor(tmp_path / name)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_file_that_is_cut_short_is_told(functional, tmp_path, suffix):
    from leaplab.worker.loading import load_predictor

    path = tmp_path / f"both{suffix}"
    functional.save(path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(
        LeaplabError, match=f"both{suffix} cannot be read as a Keras model: it is cut short, damaged, or"
    ):
        load_predictor(path)


def test_layer_of_a_saved_model_gives_its_outputs_by_their_names(keras, tmp_path):
    from leaplab.worker.loading import load_predictor, model_source

    image, bias = keras.Input((6, 6, 2), name="zebra"), keras.Input((3,), name="ant")
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(image))
    names = ("sum", "logits", "mean")
    ends = (keras.layers.Add()([logits, bias]), logits, keras.layers.GlobalAveragePooling2D()(image))
    model = keras.Model([image, bias], dict(zip(names, ends, strict=True)))
    wanted = model.predict_on_batch([IMAGES, np.ones((5, 3), np.float32)])
    model.export(tmp_path / "net", verbose=False)
    layer = keras.layers.TFSMLayer(tmp_path / "net", call_endpoint="serve")

    predictor = load_predictor(layer)
    outputs, latent = predictor.predict([IMAGES, np.ones((5, 3), np.float32)])
    for found, name in zip(outputs, sorted(names), strict=True):
        close(found, wanted[name])
    assert latent is None
    assert predictor.notices == (
        f"The run has no latent space, because the Keras layer '{layer.name}' (TFSMLayer) {keras_checks.NO_GRAPH}",
        "The SavedModel names its outputs, and leaplab takes them in the order of these names: logits, mean, sum.",
    )
    source = model_source(layer)
    assert (source.format, source.name, source.path) == ("keras", "net", str(tmp_path / "net"))
    assert source.sha256 == model_source(tmp_path / "net").sha256


def test_layer_of_a_signature_has_its_fixed_batch_and_types(keras, tmp_path):
    import tensorflow

    from leaplab.worker.loading import load_predictor

    class Net(tensorflow.Module):  # type: ignore[misc]
        @tensorflow.function(input_signature=[tensorflow.TensorSpec([2, 4], tensorflow.int8)])
        def infer(self, whole) -> Any:
            return {"twice": whole * 2}

    net = Net()
    tensorflow.saved_model.save(net, str(tmp_path), signatures={"serving_default": net.infer})
    predictor = load_predictor(keras.layers.TFSMLayer(str(tmp_path), call_endpoint="serving_default"))

    given = np.arange(8, dtype=np.float32).reshape(2, 4)
    (output,), _ = predictor.predict([given])
    np.testing.assert_array_equal(output, given * 2)
    assert (predictor.fixed_batch, len(predictor.notices)) == (2, 1)


def test_object_that_is_no_model_is_told(keras):
    keras_checks.check_object_that_is_no_model()


@pytest.mark.parametrize("check", keras_checks.CHECKS, ids=lambda check: check.__name__)
def test_what_holds_of_any_keras_holds_of_this_one(keras, check, tmp_path):
    keras.utils.set_random_seed(0)
    check(keras, tmp_path)


@pytest.mark.long
@pytest.mark.python("3.10")
def test_what_holds_of_any_keras_holds_of_keras_2(python_of, tmp_path):
    subprocess.run([python_of("3.10"), "-m", "venv", tmp_path], check=True)
    python = tmp_path / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "tensorflow-cpu==2.12.*"]
    subprocess.run(install, check=True)

    command: list[str | Path] = [python, "-I", "-B", keras_checks.__file__, Path(leaplab.__file__).parent]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("passed with keras, TensorFlow 2.12."), ended.stdout


def test_integration_with_a_keras_model_is_evaluated(keras, make_project, evaluated, tmp_path):
    keras.utils.set_random_seed(1)
    vector = keras.Input((4,), name="vector")
    hidden = keras.layers.Dense(5, activation="relu")(vector)
    model = keras.Model(vector, keras.layers.Dense(2, activation="softmax")(hidden))
    loading = (
        'return onnxruntime.InferenceSession(str(Path(__file__).parent / "dense.onnx"))',
        'import keras\n    return keras.models.load_model(Path(__file__).parent / "dense.h5", compile=False)',
    )
    root = make_project("plain", changes={"leap_binder.py": loading})
    model.save(root / "dense.h5")

    store = evaluated(tmp_path, root, batch_size=7)

    vectors = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)
    first, offset = model.layers[1].get_weights()
    close(store.latent("model")[:20], np.maximum(vectors @ first + offset, 0))
    close(store.prediction("halves", 3), np.asarray(model(vectors))[3])
    assert store.manifest.model_format == "keras"


SUBCLASSED = """import keras

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, kernel_initializer=keras.initializers.RandomNormal(seed=4))

        def call(self, vectors):
            return self.dense(vectors)

    net = Net()
    net(np.zeros((1, 4), np.float32))
    return net"""


def test_integration_with_a_subclassed_model_is_evaluated_without_latent_vectors(
    keras, make_project, evaluated, tmp_path
):
    loading = (
        'import onnxruntime\n\n    return onnxruntime.InferenceSession(str(Path(__file__).parent / "dense.onnx"))',
        SUBCLASSED,
    )
    store = evaluated(tmp_path, make_project("plain", changes={"leap_binder.py": loading}), batch_size=7)

    vectors = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)
    kernel = np.asarray(keras.initializers.RandomNormal(seed=4)((4, 2)))
    close([store.prediction("halves", row) for row in range(20)], vectors @ kernel)
    assert (store.manifest.model, store.manifest.latent_source) == ("net.keras", "")
    assert not (store.path / "latent").exists()


THREADS = """
from collections import Counter
from pathlib import Path
import tensorflow as tf

tf.constant([[1.0]]) @ tf.constant([[1.0]])
print(Counter(task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm"))["tf_Compute"])
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads have no names here")
@pytest.mark.parametrize("threads", [1, 5])
def test_tensorflow_starts_the_threads_that_an_integration_is_bound_with(tmp_path, monkeypatch, threads):
    from leaplab.protocol.binding import BindOrder
    from leaplab.worker import integration

    for name in integration._TENSORFLOW_THREADS:
        monkeypatch.setenv(name, "3")
    with pytest.raises(LeaplabError):  # there is none, but its process is made ready for it
        integration.Integration(BindOrder(str(tmp_path), "leap_binder.py", inference_threads=threads))
    ended = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True, timeout=120)

    assert int(ended.stdout) == threads
