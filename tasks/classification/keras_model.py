"""Networks for single-label classification in Keras 3, imported by train.py alone."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from tasks.training.fixed_affine import fixed_affine


def small_cnn(
    input_shape: tuple[int, int, int], classes: int, widths: tuple[int, int, int] = (24, 48, 128), dropout: float = 0.2
) -> keras.Model:
    """Five convolutions in three stages, global average pooling and a softmax head: about 0.1 M parameters.

    Args:
        input_shape: (H, W, channels) of float32 in [0, 1].
        classes: number of classes, the width of the output.
        widths: channels of the three stages. The last one is the width of the latent space that feeds the head.
        dropout: share of the latent space that is left out at a time in training.

    Returns:
        A functional model [B, H, W, channels] -> [B, classes] probabilities, float32 under any precision policy.
    """
    inputs = keras.Input(input_shape, name="image")
    x = _convolution(inputs, widths[0], strides=1)
    x = _convolution(x, widths[0], strides=2)
    x = _convolution(x, widths[1], strides=1)
    x = _convolution(x, widths[1], strides=2)
    x = _convolution(x, widths[2], strides=1)
    x = layers.GlobalAveragePooling2D(name="latent", dtype="float32")(x)
    x = layers.Dropout(dropout, dtype="float32")(x)
    outputs = layers.Dense(classes, activation="softmax", name="classes", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="small_cnn")


def _convolution(x: keras.KerasTensor, channels: int, strides: int) -> keras.KerasTensor:
    x = layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def resnet18(
    input_shape: tuple[int, int, int],
    classes: int,
    width: int,
    mean: Sequence[float],
    std: Sequence[float],
) -> keras.Model:
    """ResNet-18 with the stem for small images: He et al., "Deep Residual Learning for Image Recognition", 2016.

    A 3 x 3 convolution without stride or pooling (their section 4.2) leads into four stages of two basic blocks (their
    table 1), with `width`, 2, 4 and 8 times `width` channels at full, half, quarter and eighth resolution; their net
    for ImageNet has a width of 64. Where a block changes the shape, the shortcut is a 1 x 1 convolution (option B).

    Args:
        input_shape: (H, W, channels) of float32 in [0, 1].
        classes: number of classes, the width of the output.
        width: channels of the first stage. The latent space that feeds the head is 8 times as wide.
        mean: per channel, subtracted from the input.
        std: per channel, what the input is then divided by.

    Returns:
        A functional model [B, H, W, channels] -> [B, classes] probabilities, float32 under any precision policy.
    """
    inputs = keras.Input(input_shape, name="image")
    scale = 1 / np.array(std)
    x = fixed_affine(inputs, scale, -np.array(mean) * scale, name="normalise")
    x = _convolution(x, width, strides=1)
    for stage in range(4):
        for block in range(2):
            x = _basic_block(x, width * 2**stage, strides=2 if stage > 0 and block == 0 else 1)
    x = layers.GlobalAveragePooling2D(name="latent", dtype="float32")(x)
    outputs = layers.Dense(classes, activation="softmax", name="classes", dtype="float32")(x)
    return keras.Model(inputs, outputs, name=f"resnet18_{width}")


def _basic_block(x: keras.KerasTensor, channels: int, strides: int) -> keras.KerasTensor:
    shortcut = x
    if strides != 1 or x.shape[-1] != channels:
        shortcut = layers.Conv2D(channels, 1, strides=strides, use_bias=False, kernel_initializer="he_normal")(x)
        shortcut = layers.BatchNormalization()(shortcut)
    x = _convolution(x, channels, strides=strides)
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(layers.Add()([x, shortcut]))
