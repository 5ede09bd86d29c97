"""A Keras net that PyTorch runs by operations of its own, for faster training on that backend.

Keras's backend of PyTorch makes a batch normalisation of a dozen operations, and goes through much of its own code for
each layer. PyTorch has one operation for it, and takes the channels of Keras's layout last as it is.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

Tensor = Any
"""A tensor of PyTorch, which is imported only where it is the backend."""
Step = Callable[[Any, bool], Tensor]
"""The inputs of a layer, one tensor or a list, and whether this is training -> its output."""


def accelerated(net: keras.Model) -> keras.Model:
    """The net, or where PyTorch is Keras's backend a `TorchForward` of it."""
    return TorchForward(net) if keras.backend.backend() == "torch" else net


class TorchForward(keras.Model):  # type: ignore[misc]
    """A functional net with the same weights, inputs and outputs.

    Convolutions, batch normalisations and what is cheap lie on PyTorch's operations, in the precision of the layer's
    policy; every other layer is called as it is. One difference is left: PyTorch divides the variance that it keeps
    of a batch by one value less than Keras does.

    Args:
        net: each of its layers is called once.
    """

    def __init__(self, net: keras.Model) -> None:
        super().__init__(name=net.name)
        self.net = net
        self.steps = [
            (layer.input, layer.output, _step(layer))
            for layer in net.layers
            if not isinstance(layer, layers.InputLayer)
        ]
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = None) -> Any:
        """What the net gives of the same."""
        known = {id(self.net.inputs[0]): inputs}
        for taken, given, step in self.steps:
            found = [known[id(tensor)] for tensor in taken] if isinstance(taken, list) else known[id(taken)]
            known[id(given)] = step(found, bool(training))
        return keras.tree.map_structure(lambda tensor: known[id(tensor)], self.net.output)


def _step(layer: keras.Layer) -> Step:
    if isinstance(layer, layers.Conv2D) and layer.groups == 1 and layer.activation is keras.activations.linear:
        return _convolution(layer)
    if isinstance(layer, layers.BatchNormalization) and len(layer.input.shape) == 4 and layer.scale and layer.center:
        return _batch_normalisation(layer)
    if isinstance(layer, layers.MaxPooling2D) and _is_symmetric(layer):
        return _max_pooling(layer)
    if isinstance(layer, layers.UpSampling2D) and layer.interpolation == "nearest":
        return _nearest(layer)
    if isinstance(layer, layers.ReLU) and layer.max_value is None and layer.threshold == 0:
        return _relu(layer)
    if isinstance(layer, layers.Concatenate):
        return _concatenation(layer)
    # It learns from the call that it stands in whether this is training.
    return lambda inputs, training: layer(inputs)


def _convolution(layer: layers.Conv2D) -> Step:
    import torch
    from torch.nn import functional

    dtype = getattr(torch, layer.compute_dtype)

    def step(inputs: Tensor, training: bool) -> Tensor:
        kernel = layer.kernel.value.permute(3, 2, 0, 1).to(dtype, memory_format=torch.channels_last)
        bias = None if layer.bias is None else layer.bias.value.to(dtype)
        images = inputs.to(dtype).permute(0, 3, 1, 2)
        padding: Any = 0
        if layer.padding == "same":
            lacking = [
                max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
                for size, window, stride, dilation in zip(
                    images.shape[2:], layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
                )
            ]
            padding = [each // 2 for each in lacking]
            if any(each % 2 for each in lacking):
                # What cannot be shared out evenly goes behind, as TensorFlow has it.
                down, across = lacking
                edges = (across // 2, across - across // 2, down // 2, down - down // 2)
                images, padding = functional.pad(images, edges), 0
        found = functional.conv2d(images, kernel, bias, layer.strides, padding, layer.dilation_rate)
        return found.permute(0, 2, 3, 1)

    return step


def _batch_normalisation(layer: layers.BatchNormalization) -> Step:
    import torch
    from torch.nn import functional

    dtype = getattr(torch, layer.compute_dtype)

    def step(inputs: Tensor, training: bool) -> Tensor:
        found = functional.batch_norm(
            inputs.to(dtype).permute(0, 3, 1, 2),
            layer.moving_mean.value,
            layer.moving_variance.value,
            layer.gamma.value,
            layer.beta.value,
            training and layer.trainable,
            1 - layer.momentum,
            layer.epsilon,
        )
        return found.permute(0, 2, 3, 1)

    return step


def _is_symmetric(layer: layers.MaxPooling2D) -> bool:
    windows, strides = _pair(layer.pool_size), _pair(layer.strides)
    return layer.padding == "valid" or (strides == (1, 1) and all(window % 2 for window in windows))


def _max_pooling(layer: layers.MaxPooling2D) -> Step:
    from torch.nn import functional

    windows = _pair(layer.pool_size)
    padding = tuple(window // 2 for window in windows) if layer.padding == "same" else 0

    def step(inputs: Tensor, training: bool) -> Tensor:
        found = functional.max_pool2d(inputs.permute(0, 3, 1, 2), windows, _pair(layer.strides), padding)
        return found.permute(0, 2, 3, 1)

    return step


def _nearest(layer: layers.UpSampling2D) -> Step:
    from torch.nn import functional

    factors = tuple(float(factor) for factor in _pair(layer.size))

    def step(inputs: Tensor, training: bool) -> Tensor:
        return functional.interpolate(inputs.permute(0, 3, 1, 2), scale_factor=factors).permute(0, 2, 3, 1)

    return step


def _relu(layer: layers.ReLU) -> Step:
    from torch.nn import functional

    slope = float(layer.negative_slope)
    if slope == 0:
        return lambda inputs, training: functional.relu(inputs)
    return lambda inputs, training: functional.leaky_relu(inputs, slope)


def _concatenation(layer: layers.Concatenate) -> Step:
    import torch

    dtype = getattr(torch, layer.compute_dtype)
    return lambda inputs, training: torch.cat([each.to(dtype) for each in inputs], layer.axis)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
