"""Nets as Keras runs them beside the same as PyTorch does: `KERAS_BACKEND=torch python -m tests.tasks...`.

Prints JSON: for each net, by how much the outputs, the gradients and the statistics kept of the batches differ, each
as a share of the greatest of them.
"""

import json
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import torch
from keras import layers

from tasks.classification.keras_model import resnet18, small_cnn
from tasks.detection.grid import Grid
from tasks.segmentation.keras_model import yolo_segmenter
from tasks.training.torch_forward import TorchForward

ANCHORS = (((9, 9), (14, 20), (22, 11)), ((30, 28), (41, 60), (64, 33)), ((70, 80), (90, 40), (95, 95)))


def unusual() -> keras.Model:
    """Layers as ours do not have them: most go on PyTorch's operations nevertheless, some must not."""
    image = keras.Input((19, 22, 3), name="image")
    wide = layers.Conv2D(6, (3, 2), strides=(2, 1), padding="valid")(image)
    dilated = layers.Conv2D(6, 3, dilation_rate=2, padding="same", activation="tanh")(wide)
    dilated = layers.Conv2D(6, 3, dilation_rate=2, padding="same", use_bias=False)(dilated)
    grouped = layers.Conv2D(6, 3, groups=3, padding="same")(wide)
    x = layers.Concatenate(axis=1)([dilated, grouped])
    x = layers.BatchNormalization(momentum=0.8, epsilon=0.01)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.ReLU(max_value=1.5, negative_slope=0.2)(x)
    x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same")(x)])
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.MaxPooling2D((2, 1))(x)
    x = layers.Add()([layers.UpSampling2D((2, 1), interpolation="bilinear")(x), layers.UpSampling2D((2, 1))(x)])
    frozen = layers.BatchNormalization(trainable=False)
    x = frozen(x)
    frozen.set_weights([np.linspace(0.5, 2, 6), np.linspace(-1, 1, 6), np.linspace(-0.5, 0.5, 6), np.linspace(1, 3, 6)])
    flat = layers.BatchNormalization()(layers.Dense(5)(layers.Flatten()(x)))
    return keras.Model(image, [layers.Softmax()(flat), x])


def nets() -> Iterator[tuple[str, keras.Model]]:
    """Untrained, by name."""
    yield "resnet18", resnet18((32, 32, 3), 10, 8, [0.5, 0.4, 0.3], [0.2, 0.3, 0.25])
    yield "resnet18 of odd sizes", resnet18((31, 17, 3), 10, 8, [0.5, 0.4, 0.3], [0.2, 0.3, 0.25])
    yield "small cnn", small_cnn((28, 28, 1), 10, dropout=0.0)
    yield "segmenter", yolo_segmenter(Grid(96, 128, (8, 16, 32), ANCHORS), 2, 0.25, logits=True)
    yield "unusual", unusual()


def run(net: keras.Model, model: keras.Model, weights: list[Any], images: Any, training: bool) -> dict[str, list[Any]]:
    """What a model that has the net's weights makes of images, and of the weights."""
    net.set_weights(weights)
    for weight in net.trainable_weights:
        weight.value.grad = None
    outputs = keras.tree.flatten(model(images, training=training))
    # Not the sum: that of a softmax, or of what was normalised, has no gradient.
    sum(
        (output * torch.cos(torch.arange(output.numel())).reshape(output.shape)).mean() for output in outputs
    ).backward()
    return {
        "outputs": [output.detach() for output in outputs],
        "gradients": [weight.value.grad.clone() for weight in net.trainable_weights],
        "statistics": [weight.value.detach().clone() for weight in net.non_trainable_weights],
    }


def difference(ours: list[Any], theirs: list[Any]) -> float:
    """The greatest, as a share of the greatest value."""
    greatest = max(float(each.abs().max()) for each in theirs)
    return max(float((one - other).abs().max()) for one, other in zip(ours, theirs, strict=True)) / greatest


def main() -> None:
    """Of every net, in training and after it."""
    rng = np.random.default_rng(4)
    found = {}
    for name, net in nets():
        keras.utils.set_random_seed(5)
        images = torch.tensor(rng.random((16, *net.input_shape[1:])), dtype=torch.float32)
        weights = net.get_weights()
        for training in (True, False):
            theirs = run(net, net, weights, images, training)
            ours = run(net, TorchForward(net), weights, images, training)
            found[f"{name}, {'training' if training else 'inference'}"] = {
                what: difference(ours[what], theirs[what]) for what in theirs
            }
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    for name, net in nets():
        images = torch.tensor(rng.random((4, *net.input_shape[1:])), dtype=torch.float32)
        with torch.no_grad():
            theirs, ours = (keras.tree.flatten(model(images, training=False)) for model in (net, TorchForward(net)))
        assert [each.dtype for each in ours] == [each.dtype for each in theirs]
        found[f"{name}, bfloat16"] = {"outputs": difference(ours, theirs)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
