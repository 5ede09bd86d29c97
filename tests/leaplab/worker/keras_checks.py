"""What must hold of the models of any Keras: `test_keras_model.py` runs it, also in an interpreter with Keras 2.

As a program, it takes the folder of the package `leaplab` and comes to it as a worker does: through a bare module.
"""

from __future__ import annotations

import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

IMAGES = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype(np.float32)
VECTORS = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def mean(maps: Any) -> Any:
    """[B, H, W, C] -> [B, C]."""
    return maps.mean(axis=(1, 2))


def refuses(sentence: str, ask: Callable[..., Any], *arguments: Any) -> None:
    from leaplab.errors import LeaplabError

    told = "nothing"
    try:
        ask(*arguments)
    except LeaplabError as error:
        told = str(error)
    assert sentence in told, told


def check_object_that_is_no_model() -> None:
    from leaplab.worker.loading import load_predictor, model_source

    for ask in (load_predictor, model_source):
        refuses("model is a dict, neither a Keras model nor an onnxruntime session", ask, {"weights": 1})


def check_sequential(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    model = keras.Sequential([
        keras.Input((6, 6, 2)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.Flatten(),
        layers.Dense(7, activation="tanh", name="hidden"), layers.Dropout(0.5, name="dropout"), layers.Dense(3),
        layers.Softmax(),
    ])  # fmt: skip
    wanted = model.predict_on_batch(IMAGES)
    hidden = keras.Model(model.inputs, model.get_layer("hidden").output).predict_on_batch(IMAGES)

    model.save(str(folder / "sequential.h5"))
    for given in (model, folder / "sequential.h5"):
        predictor = load_predictor(given)
        (output,), latent = predictor.predict([IMAGES])
        close(output, wanted)
        close(latent, hidden)
        assert (predictor.latent_source, predictor.fixed_batch, predictor.format) == ("dropout", None, "keras")


def check_two_inputs_and_outputs(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    image, bias = keras.Input((6, 6, 2), name="image"), keras.Input((3,), name="bias")
    maps = layers.Conv2D(4, 3, activation="relu", name="maps")(image)
    hidden = layers.Dense(7, activation="relu", name="hidden")(layers.Flatten()(layers.MaxPooling2D()(maps)))
    classes = layers.Softmax()(layers.Add()([layers.Dense(3)(hidden), bias]))
    model = keras.Model([image, bias], [classes, layers.Conv2D(1, 1)(maps)], name="both")
    wanted = model.predict_on_batch([IMAGES, VECTORS])
    features = {
        name: keras.Model(model.inputs, model.get_layer(name).output).predict_on_batch([IMAGES, VECTORS])
        for name in ("maps", "hidden")
    }
    vectors = {"maps": mean(features["maps"]), "hidden": features["hidden"]}

    model.save(str(folder / "both.h5"))
    for given in (model, folder / "both.h5"):
        predictor = load_predictor(given)
        outputs, latent = predictor.predict([IMAGES, VECTORS])
        sources = predictor.latent_source.split(", ")
        assert sorted(sources) == ["hidden", "maps"]
        close(latent, np.concatenate([vectors[name] for name in sources], axis=1))
        close(outputs[0], wanted[0])
        close(outputs[1], wanted[1])
        assert len(outputs) == 2
        close(load_predictor(given, latent="hidden").predict([IMAGES, VECTORS])[1], features["hidden"])
        refuses("takes 2 inputs (image, bias), but the integration feeds it 1", predictor.predict, [IMAGES])


def check_cut_in_two(keras: Any, folder: Path) -> None:
    """For heat-maps: a trunk that makes a map, and a head that goes on from it, also from a changed one."""
    import tensorflow

    from leaplab.worker.explaining.keras_split import split_keras
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    image, bias = keras.Input((6, 6, 2), name="image"), keras.Input((3,), name="bias")
    maps = layers.Conv2D(4, 3, activation="relu", name="maps")(image)
    weighed = layers.Dense(3, name="weigh")(layers.GlobalAveragePooling2D()(maps))
    model = keras.Model([image, bias], layers.Add()([weighed, bias]), name="cut")
    model.save(str(folder / "cut.h5"))
    kernel, constant = model.get_layer("weigh").get_weights()
    for given in (model, folder / "cut.h5"):
        predictor: Any = load_predictor(given)
        split: Any = split_keras(predictor, 0, "", False, [IMAGES[:1], VECTORS[:1]])
        assert split is not None
        ((found,), (each,)) = split.trunk([IMAGES[:1], VECTORS[:1]]), split.maps
        assert (each.tensor, each.channel_axis, each.height, each.width, each.channels) == ("maps", 3, 4, 4, 4)
        changed = np.concatenate([found, found])
        changed[1, :2] = 0
        ((outputs,), _) = split.head([changed], [IMAGES[:1], VECTORS[:1]])
        close(outputs, mean(changed) @ kernel + constant + VECTORS[:1])
        close(outputs[:1], model.predict_on_batch([IMAGES[:1], VECTORS[:1]]))
        with tensorflow.GradientTape() as tape:
            start = tensorflow.convert_to_tensor(found)
            tape.watch(start)
            first = split.differentiable(start, [IMAGES[:1], VECTORS[:1]])[0][:, 0]
        close(np.asarray(tape.gradient(first, start)), np.broadcast_to(kernel[:, 0] / 16, found.shape))
        assert split_keras(predictor, 1, "", False, [IMAGES[:1], VECTORS[:1]]) is None
        refuses("no layer 'weigh' with two axes", split_keras, predictor, 0, "weigh", False, [IMAGES[:1], VECTORS[:1]])


def check_head_in_a_model_that_is_a_layer(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    base = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D()], name="base"
    )
    given = keras.Input((4,))
    inner = layers.Dense(5, activation="relu", name="inner")(given)
    head = keras.Model(given, layers.Softmax()(layers.Dense(2)(inner)), name="head")
    ends = keras.Model(given, inner)
    image = keras.Input((6, 6, 2), name="image")
    model = keras.Model(image, layers.Activation("linear")(head(base(image))), name="nested")
    wanted = ends.predict_on_batch(base.predict_on_batch(IMAGES))

    model.save(str(folder / "nested.h5"))
    for source in (model, folder / "nested.h5"):
        predictor = load_predictor(source)
        (output,), latent = predictor.predict([IMAGES])
        assert predictor.latent_source == "head/inner"
        close(latent, wanted)
        close(output, model.predict_on_batch(IMAGES))
        close(load_predictor(source, latent="head/inner").predict([IMAGES])[1], wanted)
        close(load_predictor(source, latent="base").predict([IMAGES])[1], base.predict_on_batch(IMAGES))

    # Deeper down; and called twice, each call has its own vectors.
    wrapped = keras.Sequential([keras.Input((6, 6, 2)), base, head], name="wrapped")
    twice = keras.Model(image, [wrapped(image), wrapped(layers.Rescaling(2.0)(image))])
    predictor = load_predictor(twice)
    _, latent = predictor.predict([IMAGES])
    assert predictor.latent_source == "wrapped/head/inner, wrapped/head/inner"
    doubled = ends.predict_on_batch(base.predict_on_batch(IMAGES * 2))
    close(latent, np.concatenate([wanted, doubled], axis=1))


def check_models_without_a_head_in_front_of_a_head(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    given = keras.Input((5,))
    scaled = keras.Model(given, layers.Rescaling(3.0)(given), name="scaled")
    vector = keras.Input((3,), name="vector")
    hidden = layers.Dense(5, activation="tanh", name="hidden")(vector)
    output = layers.Rescaling(2.0)(scaled(layers.Dense(5, name="last")(hidden)))
    model = keras.Model(vector, output)

    predictor = load_predictor(model)
    close(predictor.predict([VECTORS])[1], keras.Model(vector, hidden).predict_on_batch(VECTORS))
    assert predictor.latent_source == "hidden"


def check_linear_weightless_and_fixed(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    linear = keras.Sequential([keras.Input(batch_shape=(5, 3)), layers.Dense(2)])
    predictor = load_predictor(linear)
    (output,), latent = predictor.predict([VECTORS])
    close(latent, VECTORS)
    close(output, linear.predict_on_batch(VECTORS))
    assert predictor.fixed_batch == 5

    predictor = load_predictor(keras.Sequential([keras.Input((3,)), layers.Rescaling(2.0)]))
    (output,), latent = predictor.predict([VECTORS])
    assert latent is None
    assert predictor.latent_source == ""
    close(output, VECTORS * 2)


def check_depthwise_head(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    layers = keras.layers
    image = keras.Input((6, 6, 2), name="image")
    maps = layers.Conv2D(4, 3, activation="relu", name="maps")(image)
    model = keras.Model(image, layers.DepthwiseConv2D(2)(maps))

    close(load_predictor(model).predict([IMAGES])[1], mean(keras.Model(image, maps).predict_on_batch(IMAGES)))


def check_source(keras: Any, folder: Path) -> None:
    import hashlib

    from leaplab.worker.loading import model_source

    vector = keras.Input((3,))
    model = keras.Model(vector, keras.layers.Dense(2)(vector), name="small")
    digest = hashlib.sha256(model.to_json().encode())
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    source = model_source(model)
    assert (source.format, source.name, source.sha256) == ("keras", "small.keras", digest.hexdigest())
    assert (source.path, source.content) == (None, None)


def check_model_that_is_not_built(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor, model_source

    empty = keras.Sequential([keras.layers.Dense(2)], name="empty")
    for ask in (load_predictor, model_source):
        refuses("The Keras model 'empty' is not built; save it after it was called once.", ask, empty)


NO_GRAPH = "tells no graph (--latent cannot help)."


def subclassed(keras: Any) -> Any:
    """Image and bias in, a dictionary of two outputs out, which is not in the order of its names."""

    class Net(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="net")
            self.flat, self.dense = keras.layers.Flatten(), keras.layers.Dense(3)

        def call(self, inputs: Any) -> Any:
            image, bias = inputs
            logits = self.dense(self.flat(image)) + bias
            return {"logits": logits, "classes": keras.activations.softmax(logits)}

    return Net()


def check_subclassed_model(keras: Any, folder: Path) -> None:
    import hashlib

    from leaplab.worker.loading import load_predictor, model_source

    model = subclassed(keras)
    for ask in (load_predictor, model_source):
        refuses("The Keras model 'net' is not built; save it after it was called once.", ask, model)
    model([IMAGES, VECTORS])
    kernel, offset = (np.asarray(weight) for weight in model.get_weights())
    logits = IMAGES.reshape(5, -1) @ kernel + offset + VECTORS
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))

    predictor = load_predictor(model)
    (first, second), latent = predictor.predict([IMAGES, VECTORS])
    close(first, logits)
    close(second, powers / powers.sum(axis=1, keepdims=True))
    assert latent is None
    assert (predictor.format, predictor.latent_source, predictor.fixed_batch) == ("keras", "", None)
    (notice,) = predictor.notices
    assert notice == f"The run has no latent space, because the subclassed Keras model 'net' {NO_GRAPH}"
    refuses(
        "'net' tells no graph, so that --latent can name no layer of it; leave it out.",
        load_predictor,
        model,
        None,
        "flat",
    )
    refuses("The model fails on (5, 6, 6, 2): ", predictor.predict, [IMAGES])

    source = model_source(model)
    assert (source.format, source.name, source.path) == ("keras", "net.keras", None)
    assert model_source(model) == source
    model.set_weights([kernel + 1, offset])
    assert model_source(model).sha256 != source.sha256
    assert len(source.sha256) == len(hashlib.sha256().hexdigest())


def check_subclassed_model_that_cannot_be_compiled(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    class Eager(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, vectors: Any) -> Any:
            return self.dense(vectors) * float(np.asarray(vectors).max())

    model = Eager()
    model(VECTORS)
    kernel, offset = (np.asarray(weight) for weight in model.get_weights())
    predictor = load_predictor(model)
    for _ in range(2):
        close(predictor.predict([VECTORS])[0][0], (VECTORS @ kernel + offset) * VECTORS.max())


def check_custom_layers(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    class Doubling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, given: Any) -> Any:
            return given * 2

    vector = keras.Input((3,), name="vector")
    hidden = Doubling(name="twice")(keras.layers.Dense(4, activation="tanh")(vector))
    model = keras.Model(vector, keras.layers.Dense(2)(hidden))
    wanted = keras.Model(vector, hidden).predict_on_batch(VECTORS)
    model.save(str(folder / "custom.h5"))

    for predictor in (
        load_predictor(model),
        load_predictor(folder / "custom.h5", custom_objects={"doubling layer": Doubling}),
    ):
        (output,), latent = predictor.predict([VECTORS])
        close(output, model.predict_on_batch(VECTORS))
        close(latent, wanted)
        assert (predictor.latent_source, predictor.notices) == ("twice", ())
    refuses("custom.h5 cannot be read as a Keras model: ", load_predictor, folder / "custom.h5")


def check_candidates_for_a_latent_space(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    image = keras.Input((6, 6, 2), name="image")
    maps = keras.layers.MaxPooling2D(name="pool")(keras.layers.Rescaling(2.0, name="scale")(image))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D(name="mean")(maps))

    predictor = load_predictor(model)
    assert predictor.notices == (
        "The run has no latent space, because no layer with a kernel, dense or a convolution, leads to the model's"
        " outputs; name what to take it from by --latent: near the outputs lie pool (4 axes), scale (4 axes).",
    )
    named = load_predictor(model, latent="scale")
    close(named.predict([IMAGES])[1], mean(IMAGES * 2))
    assert named.notices == ()


def check_saved_model(keras: Any, folder: Path) -> None:
    import tensorflow

    from leaplab.worker.loading import load_predictor, model_source

    class Net(tensorflow.Module):  # type: ignore[misc]
        """Inputs of one shape, whose names are in the order of the alphabet; a batch of five."""

        def __init__(self) -> None:
            super().__init__()
            self.kernel = tensorflow.Variable(VECTORS[:3])

        @tensorflow.function(
            input_signature=[tensorflow.TensorSpec([5, 3], tensorflow.float16, name=n) for n in ("left", "right")]
        )
        def infer(self, left: Any, right: Any) -> Any:
            products = tensorflow.cast(left, tensorflow.float32) @ self.kernel
            ends = {f"output_{number}": products * number for number in (10, 2, 1)}
            return {**ends, "difference": tensorflow.cast(left - right, tensorflow.float32)}

    net = Net()
    tensorflow.saved_model.save(net, str(folder / "saved"), signatures={"serving_default": net.infer})
    left, right = VECTORS.astype(np.float16), VECTORS[::-1].astype(np.float16)
    products = left.astype(np.float32) @ VECTORS[:3]
    wanted = [(left - right).astype(np.float32), products, products * 2, products * 10]

    loaded = tensorflow.saved_model.load(str(folder / "saved"))
    for given, name in ((folder / "saved", "saved"), (loaded, "saved_model")):
        predictor = load_predictor(given)
        outputs, latent = predictor.predict([VECTORS, VECTORS[::-1]])
        for found, output in zip(outputs, wanted, strict=True):
            np.testing.assert_allclose(found, output, rtol=1e-3, atol=1e-3)
        assert len(outputs) == 4
        assert latent is None
        assert (predictor.format, predictor.fixed_batch) == ("saved_model", 5)
        assert predictor.notices == (
            f"The run has no latent space, because the SavedModel {NO_GRAPH}",
            "The SavedModel names its outputs, and leaplab takes them in the order of these names: difference,"
            " output_1, output_2, output_10.",
            "The SavedModel names its inputs, and leaplab takes them in the order of these names: left, right.",
        )
        refuses("takes 2 inputs (left, right), but the integration feeds it 1", predictor.predict, [VECTORS])
        refuses("leave it out", load_predictor, given, None, "kernel")
        source = model_source(given)
        assert (source.format, source.name) == ("saved_model", name)
    assert model_source(tensorflow.saved_model.load(str(folder / "saved"))) == model_source(loaded)
    before = model_source(folder / "saved"), model_source(loaded)
    net.kernel.assign(VECTORS[2:])
    tensorflow.saved_model.save(net, str(folder / "saved"), signatures={"serving_default": net.infer})
    loaded = tensorflow.saved_model.load(str(folder / "saved"))
    assert model_source(folder / "saved").sha256 != before[0].sha256
    assert model_source(loaded).sha256 != before[1].sha256

    # The functions of a module, which Python still holds, keep the order in which they return.
    function = load_predictor(net.infer)
    (tenfold, *_), _ = function.predict([VECTORS, VECTORS])
    np.testing.assert_allclose(tenfold, left.astype(np.float32) @ VECTORS[2:] * 10, rtol=1e-3, atol=1e-3)
    assert function.fixed_batch == 5

    several = {"first": net.infer, "second": net.infer}
    tensorflow.saved_model.save(net, str(folder / "several"), signatures=several)
    refuses("has the signatures first, second, and none is called serving_default", load_predictor, folder / "several")
    refuses(
        "a function of a SavedModel that is gone; return what tf.saved_model.load gives, which keeps it.",
        model_source,
        tensorflow.saved_model.load(str(folder / "saved")).signatures["serving_default"],
    )
    (folder / "saved" / "saved_model.pb").write_bytes(b"none")
    refuses("saved cannot be read as a SavedModel: ", load_predictor, folder / "saved")


def check_folder_that_keras_saved(keras: Any, folder: Path) -> None:
    from leaplab.worker.loading import load_predictor

    image, bias = keras.Input((6, 6, 2), name="zebra"), keras.Input((3,), name="ant")
    hidden = keras.layers.Dense(4, activation="relu", name="hidden")(keras.layers.Flatten()(image))
    logits = keras.layers.Dense(3, name="last")(hidden)
    model = keras.Model([image, bias], [keras.layers.Add(name="sum")([logits, bias]), logits])
    wanted = model.predict_on_batch([IMAGES, VECTORS])
    if keras.__version__.startswith("3."):
        model.export(str(folder / "net"))
    else:
        model.save(str(folder / "net"))

    predictor = load_predictor(folder / "net")
    outputs, latent = predictor.predict([IMAGES, VECTORS])
    for found, output in zip(outputs, wanted, strict=True):
        close(found, output)
    assert len(outputs) == 2
    if (folder / "net" / "keras_metadata.pb").exists():  # Keras 2 tells its graph
        close(latent, keras.Model(image, hidden).predict_on_batch(IMAGES))
        assert (predictor.format, predictor.latent_source, predictor.notices) == ("keras", "hidden", ())
    else:
        assert latent is None
        assert predictor.notices == (f"The run has no latent space, because the SavedModel {NO_GRAPH}",)


CHECKS = (
    check_sequential,
    check_two_inputs_and_outputs,
    check_cut_in_two,
    check_head_in_a_model_that_is_a_layer,
    check_models_without_a_head_in_front_of_a_head,
    check_linear_weightless_and_fixed,
    check_depthwise_head,
    check_source,
    check_model_that_is_not_built,
    check_subclassed_model,
    check_subclassed_model_that_cannot_be_compiled,
    check_custom_layers,
    check_candidates_for_a_latent_space,
    check_saved_model,
    check_folder_that_keras_saved,
)


def main(package: str) -> None:
    """Run all of it with `tf.keras`, and say which version that was."""
    leaplab = types.ModuleType("leaplab")
    leaplab.__path__ = [package]
    sys.modules["leaplab"] = leaplab
    check_object_that_is_no_model()
    assert not [name for name in sys.modules if name.partition(".")[0] in ("keras", "tf_keras", "tensorflow")]

    import tensorflow

    for check in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            check(tensorflow.keras, Path(folder))
    print(f"passed with {tensorflow.keras.Model.__module__.partition('.')[0]}, TensorFlow {tensorflow.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
