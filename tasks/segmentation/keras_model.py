"""A YOLO that segments instances, in Keras 3, imported by train.py alone.

The detector of tasks/detection/keras_model.py, with prototypes of masks beside it and, in each row, the coefficients of
their sum: Bolya et al., "YOLACT: real-time instance segmentation", ICCV 2019, section 3.1. Both outputs have the layout
of YOLOv5-seg's export.
"""

import keras
from keras import layers

from tasks.detection.grid import Grid
from tasks.detection.keras_model import convolution, heads, pyramid, scaled_by, set_priors

PROTOTYPES = 32


def yolo_segmenter(
    grid: Grid, classes: int, width: float = 1.0, logits: bool = False, prototypes: int = PROTOTYPES
) -> keras.Model:
    """A detector with decoded output, and prototypes of masks.

    Args:
        grid: of the input; its strides are those of YOLOv7-tiny.
        classes: number of classes.
        width: factor on the channels of the published detector, which has 1.
        logits: whether objectness and classes are logits, as the losses in Keras want them, or probabilities.
        prototypes: number of prototypes, and of coefficients.

    Returns:
        A functional model [B, H, W, 3] float32 in [0, 1] -> detections [B, N, 5 + classes + K], the last columns the
        coefficients, and prototypes [B, K, H / 4, W / 4], of K prototypes.
    """
    inputs = keras.Input((grid.height, grid.width, 3), name="image")
    maps = pyramid(inputs, grid, width)
    detections = heads(maps, grid, classes, width, logits, prototypes)
    model = keras.Model(
        inputs, [detections, _prototypes(maps[0], scaled_by(width)(128), prototypes)], name="yolo_segmenter"
    )
    set_priors(model, grid, classes)
    return model


def _prototypes(fine: keras.KerasTensor, channels: int, count: int) -> keras.KerasTensor:
    x = convolution(fine, channels, 3)
    x = layers.UpSampling2D(2, interpolation="nearest")(x)
    x = convolution(x, channels, 3)
    x = convolution(x, count, 1)
    return layers.Permute((3, 1, 2), name="prototypes", dtype="float32")(x)
