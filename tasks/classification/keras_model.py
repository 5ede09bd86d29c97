"""Networks for single-label classification in Keras 3, imported by train.py alone."""

import keras
from keras import layers


def small_cnn(
    input_shape: tuple[int, int, int], classes: int, widths: tuple[int, int, int] = (24, 48, 128)
) -> keras.Model:
    """Five convolutions in three stages, global average pooling and a softmax head: about 0.1 M parameters.

    Args:
        input_shape: (H, W, channels) of float32 in [0, 1].
        classes: number of classes, the width of the output.
        widths: channels of the three stages. The last one is the width of the latent space that feeds the head.

    Returns:
        A functional model [B, H, W, channels] -> [B, classes] probabilities.
    """
    inputs = keras.Input(input_shape, name="image")
    x = _convolution(inputs, widths[0], strides=1)
    x = _convolution(x, widths[0], strides=2)
    x = _convolution(x, widths[1], strides=1)
    x = _convolution(x, widths[1], strides=2)
    x = _convolution(x, widths[2], strides=1)
    x = layers.GlobalAveragePooling2D(name="latent")(x)
    x = layers.Dropout(0.2)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="classes")(x), name="small_cnn")


def _convolution(x: keras.KerasTensor, channels: int, strides: int) -> keras.KerasTensor:
    x = layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))
