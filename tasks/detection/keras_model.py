"""YOLOv7-tiny in Keras 3, imported by train.py alone.

Wang, Bochkovskiy and Liao, "YOLOv7: trainable bag-of-freebies sets new state-of-the-art for real-time object
detectors", CVPR 2023, and the layout that they published as yolov7-tiny: ELAN blocks (section 3.1), SPPCSPC, a path up
and down the levels, and a head for each of three levels. Left out: the implicit knowledge of its heads, which an export
folds into the convolutions anyway.
"""

import math
from collections.abc import Callable

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from tasks.detection.grid import Grid

STRIDES = (8, 16, 32)
Channels = Callable[[int], int]
"""Channels of the published net -> channels of a net of another width."""


def yolov7_tiny(grid: Grid, classes: int, width: float = 1.0, logits: bool = False) -> keras.Model:
    """A detector with decoded output.

    Args:
        grid: of the input; its strides are `STRIDES`.
        classes: number of classes.
        width: factor on the channels of the published net, which has 1.
        logits: whether objectness and classes are logits, as `tasks.detection.keras_loss` wants them, or probabilities.

    Returns:
        A functional model [B, H, W, 3] float32 in [0, 1] -> [B, N, 5 + classes] (centre x, centre y, width, height in
        pixels of the input, objectness, classes), the rows as in `tasks.detection.grid`.
    """
    if grid.strides != STRIDES:
        raise ValueError(f"YOLOv7-tiny has the strides {STRIDES}, not {grid.strides}.")
    inputs = keras.Input((grid.height, grid.width, 3), name="image")
    maps = _features(inputs, lambda channels: max(8, round(channels * width / 8) * 8))
    outputs = [_head(features, grid, level, classes, logits) for level, features in enumerate(maps)]
    outputs = layers.Concatenate(axis=1, name="detections", dtype="float32")(outputs)
    model = keras.Model(inputs, outputs, name="yolov7_tiny")
    for stride, (rows, columns) in zip(grid.strides, grid.shapes, strict=True):
        model.get_layer(f"presence_{stride}").bias.assign(_prior(len(grid.anchors[0]), classes, rows * columns))
    return model


def _prior(anchors: int, classes: int, cells: int) -> NDArray[np.float32]:
    """Biases of a head that starts with eight objects on its level, and with classes that are equally likely.

    Without them, the many rows without an object drown the others at first: Lin et al., "Focal loss for dense object
    detection", ICCV 2017, section 3.3.
    """
    bias = np.zeros((anchors, 1 + classes), np.float32)
    bias[:, 0] = math.log(8 / (anchors * cells))
    bias[:, 1:] = math.log(0.6 / (classes - 0.99))
    return bias.reshape(-1)


def _features(x: keras.KerasTensor, channels: Channels) -> list[keras.KerasTensor]:
    x = _convolution(x, channels(32), 3, strides=2)
    x = _convolution(x, channels(64), 3, strides=2)
    x = _elan(x, channels(32), channels(64))
    fine = _elan(_halved(x), channels(64), channels(128))
    middle = _elan(_halved(fine), channels(128), channels(256))
    coarse = _sppcspc(_elan(_halved(middle), channels(256), channels(512)), channels(256))

    up_middle = _elan(_joined_above(coarse, middle, channels(128)), channels(64), channels(128))
    up_fine = _elan(_joined_above(up_middle, fine, channels(64)), channels(32), channels(64))
    down_middle = _elan(_joined_below(up_fine, up_middle, channels(128)), channels(64), channels(128))
    down_coarse = _elan(_joined_below(down_middle, coarse, channels(256)), channels(128), channels(256))
    return [
        _convolution(features, channels(last), 3)
        for features, last in ((up_fine, 128), (down_middle, 256), (down_coarse, 512))
    ]


def _convolution(x: keras.KerasTensor, channels: int, kernel: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(
        channels, kernel, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    return layers.LeakyReLU(0.1)(layers.BatchNormalization(momentum=0.97, epsilon=1e-3)(x))


def _elan(x: keras.KerasTensor, inner: int, outer: int) -> keras.KerasTensor:
    """Two branches, of which one is lengthened twice; all four stages are joined."""
    straight = _convolution(x, inner, 1)
    first = _convolution(x, inner, 1)
    second = _convolution(first, inner, 3)
    third = _convolution(second, inner, 3)
    return _convolution(layers.Concatenate()([third, second, first, straight]), outer, 1)


def _sppcspc(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    """Pools over windows of three sizes, beside a branch that goes past them."""
    past = _convolution(x, channels, 1)
    x = _convolution(x, channels, 1)
    pooled = [layers.MaxPooling2D(window, strides=1, padding="same")(x) for window in (13, 9, 5)]
    x = _convolution(layers.Concatenate()([*pooled, x]), channels, 1)
    return _convolution(layers.Concatenate()([x, past]), channels, 1)


def _halved(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.MaxPooling2D(2)(x)


def _joined_above(coarse: keras.KerasTensor, fine: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    raised = layers.UpSampling2D(2, interpolation="nearest")(_convolution(coarse, channels, 1))
    return layers.Concatenate()([_convolution(fine, channels, 1), raised])


def _joined_below(fine: keras.KerasTensor, coarse: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    return layers.Concatenate()([_convolution(fine, channels, 3, strides=2), coarse])


def _head(features: keras.KerasTensor, grid: Grid, level: int, classes: int, logits: bool) -> keras.KerasTensor:
    """[B, rows of the level, 5 + classes].

    YOLOv7's one convolution is three here, whose outputs it only holds side by side: so layers alone decode them, and
    an .h5 of the net can be read without this code.
    """
    stride, anchors, (rows, columns) = grid.strides[level], grid.anchors[level], grid.shapes[level]

    def values(name: str, each: int) -> keras.KerasTensor:
        x = layers.Conv2D(len(anchors) * each, 1, name=f"{name}_{stride}", dtype="float32")(features)
        return layers.Reshape((rows, columns, len(anchors), each), dtype="float32")(x)

    def share(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.Activation("sigmoid", dtype="float32")(x)

    # Centre: (2 s - 0.5 + cell) stride, size: (2 s)^2 anchor.
    cell = np.stack(np.broadcast_arrays(np.arange(columns), np.arange(rows)[:, np.newaxis]), axis=-1)
    corner = ((cell[:, :, np.newaxis] - 0.5) * stride).tolist()
    centre = layers.Rescaling(2.0 * stride, corner, dtype="float32")(share(values("centre", 2)))
    half_root = share(values("size", 2))
    size = layers.Multiply(dtype="float32")([half_root, half_root])
    size = layers.Rescaling([[4.0 * side for side in anchor] for anchor in anchors], dtype="float32")(size)
    present = values("presence", 1 + classes)
    present = present if logits else share(present)
    x = layers.Concatenate(dtype="float32")([centre, size, present])
    x = layers.Permute((3, 1, 2, 4), dtype="float32")(x)
    return layers.Reshape((len(anchors) * rows * columns, 5 + classes), dtype="float32")(x)
