"""YOLOv7-tiny in Keras 3, imported by train.py alone.

Wang, Bochkovskiy and Liao, "YOLOv7: trainable bag-of-freebies sets new state-of-the-art for real-time object
detectors", CVPR 2023, and the layout that they published as yolov7-tiny: ELAN blocks (section 3.1), SPPCSPC, a path up
and down the levels, and a head for each of three levels. Left out: the implicit knowledge of its heads, which an export
folds into the convolutions anyway.
"""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers

from tasks.detection.grid import Grid
from tasks.training.fixed_affine import fixed_affine

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
    inputs = keras.Input((grid.height, grid.width, 3), name="image")
    maps = pyramid(inputs, grid, width)
    model = keras.Model(inputs, heads(maps, grid, classes, width, logits), name="yolov7_tiny")
    set_priors(model, grid, classes)
    return model


def pyramid(image: keras.KerasTensor, grid: Grid, width: float) -> list[keras.KerasTensor]:
    """Features at each of the strides, the finest first: what the heads are put on.

    Raises:
        ValueError: the grid has other strides.
    """
    if grid.strides != STRIDES:
        raise ValueError(f"YOLOv7-tiny has the strides {STRIDES}, not {grid.strides}.")
    channels = scaled_by(width)
    x = convolution(image, channels(32), 3, strides=2)
    x = convolution(x, channels(64), 3, strides=2)
    x = _elan(x, channels(32), channels(64))
    fine = _elan(_halved(x), channels(64), channels(128))
    middle = _elan(_halved(fine), channels(128), channels(256))
    coarse = _sppcspc(_elan(_halved(middle), channels(256), channels(512)), channels(256))

    up_middle = _elan(_joined_above(coarse, middle, channels(128)), channels(64), channels(128))
    up_fine = _elan(_joined_above(up_middle, fine, channels(64)), channels(32), channels(64))
    down_middle = _elan(_joined_below(up_fine, up_middle, channels(128)), channels(64), channels(128))
    down_coarse = _elan(_joined_below(down_middle, coarse, channels(256)), channels(128), channels(256))
    return [up_fine, down_middle, down_coarse]


def heads(
    maps: Sequence[keras.KerasTensor], grid: Grid, classes: int, width: float, logits: bool, coefficients: int = 0
) -> keras.KerasTensor:
    """[B, N, 5 + classes + coefficients], what `yolov7_tiny` gives; coefficients are of any size, for masks."""
    channels = scaled_by(width)
    outputs = [
        _head(convolution(features, channels(last), 3), grid, level, classes, logits, coefficients)
        for level, (features, last) in enumerate(zip(maps, (128, 256, 512), strict=True))
    ]
    return layers.Concatenate(axis=1, name="detections", dtype="float32")(outputs)


def scaled_by(width: float) -> Channels:
    """Channels in multiples of eight, and eight at least."""
    return lambda channels: max(8, round(channels * width / 8) * 8)


def set_priors(model: keras.Model, grid: Grid, classes: int) -> None:
    """Have a new net start with eight objects on each level, and with classes that are equally likely.

    Without that, the many rows without an object drown the others at first: Lin et al., "Focal loss for dense object
    detection", ICCV 2017, section 3.3.
    """
    for stride, rows in zip(grid.strides, grid.rows_of_level, strict=True):
        bias = np.zeros((len(grid.anchors[0]), 1 + classes), np.float32)
        bias[:, 0] = math.log(8 / rows)
        bias[:, 1:] = math.log(0.6 / (classes - 0.99))
        model.get_layer(f"presence_{stride}").bias.assign(bias.reshape(-1))


def convolution(x: keras.KerasTensor, channels: int, kernel: int, strides: int = 1) -> keras.KerasTensor:
    """Convolution, batch normalisation and leaky ReLU, of which the net is made."""
    x = layers.Conv2D(
        channels, kernel, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    # A leaky ReLU; the layer of that name calls its slope otherwise in Keras 2, and that name is deprecated in Keras 3.
    return layers.ReLU(negative_slope=0.1)(layers.BatchNormalization(momentum=0.97, epsilon=1e-3)(x))


def _elan(x: keras.KerasTensor, inner: int, outer: int) -> keras.KerasTensor:
    """Two branches, of which one is lengthened twice; all four stages are joined."""
    straight = convolution(x, inner, 1)
    first = convolution(x, inner, 1)
    second = convolution(first, inner, 3)
    third = convolution(second, inner, 3)
    return convolution(layers.Concatenate()([third, second, first, straight]), outer, 1)


def _sppcspc(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    """Pools over windows of three sizes, beside a branch that goes past them."""
    past = convolution(x, channels, 1)
    x = convolution(x, channels, 1)
    pooled = [layers.MaxPooling2D(window, strides=1, padding="same")(x) for window in (13, 9, 5)]
    x = convolution(layers.Concatenate()([*pooled, x]), channels, 1)
    return convolution(layers.Concatenate()([x, past]), channels, 1)


def _halved(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.MaxPooling2D(2)(x)


def _joined_above(coarse: keras.KerasTensor, fine: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    raised = layers.UpSampling2D(2, interpolation="nearest")(convolution(coarse, channels, 1))
    return layers.Concatenate()([convolution(fine, channels, 1), raised])


def _joined_below(fine: keras.KerasTensor, coarse: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    return layers.Concatenate()([convolution(fine, channels, 3, strides=2), coarse])


def _head(
    features: keras.KerasTensor, grid: Grid, level: int, classes: int, logits: bool, coefficients: int
) -> keras.KerasTensor:
    """[B, rows of the level, 5 + classes + coefficients].

    YOLOv7's one convolution is three here, whose outputs it only holds side by side: so layers alone decode them, and
    an .h5 of the net can be read without this code.
    """
    stride, anchors, (rows, columns) = grid.strides[level], np.array(grid.anchors[level]), grid.shapes[level]
    cells = rows * columns

    def values(name: str, each: int) -> keras.KerasTensor:
        return layers.Conv2D(len(anchors) * each, 1, name=f"{name}_{stride}", dtype="float32")(features)

    def activated(x: keras.KerasTensor, activation: str) -> keras.KerasTensor:
        return layers.Activation(activation, dtype="float32")(x)

    def by_anchor(x: keras.KerasTensor, each: int, shape: tuple[int, ...]) -> keras.KerasTensor:
        x = layers.Reshape((cells, len(anchors), each), dtype="float32")(x)
        return layers.Reshape(shape, dtype="float32")(layers.Permute((2, 1, 3), dtype="float32")(x))

    def in_rows(x: keras.KerasTensor, each: int) -> keras.KerasTensor:
        return by_anchor(x, each, (len(anchors) * cells, each))

    # Centre: (2 s - 0.5 + cell) stride, size: (2 s)^2 anchor.
    cell = np.stack(np.broadcast_arrays(np.arange(columns), np.arange(rows)[:, np.newaxis]), axis=-1)
    centre = by_anchor(activated(values("centre", 2), "sigmoid"), 2, (len(anchors), cells * 2))
    centre = fixed_affine(centre, 2 * stride, ((cell - 0.5) * stride).reshape(-1), f"cells_{stride}", "float32")
    centre = layers.Reshape((len(anchors) * cells, 2), dtype="float32")(centre)
    half_root = activated(values("size", 2), "sigmoid")
    size = layers.Multiply(dtype="float32")([half_root, half_root])
    size = in_rows(fixed_affine(size, 4 * anchors.reshape(-1), 0, f"anchors_{stride}", "float32"), 2)
    # Linear, not left out: the layers of both kinds of net must come in the same order, or so their weights would not.
    present = in_rows(activated(values("presence", 1 + classes), "linear" if logits else "sigmoid"), 1 + classes)
    parts = [centre, size, present]
    if coefficients:
        parts.append(in_rows(values("coefficients", coefficients), coefficients))
    return layers.Concatenate(dtype="float32")(parts)
