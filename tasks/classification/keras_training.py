"""What the train.py of every classification does alike; imported by these alone."""

import keras
import numpy as np
from numpy.typing import NDArray

COMPARED = 256
"""Images on which the two formats of a model are compared."""


def compiled(net: keras.Model, optimizer: keras.optimizers.Optimizer, label_smoothing: float) -> keras.Model:
    """The net, to be fitted to one-hot classes by cross-entropy."""
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    net.compile(optimizer, loss, metrics=["accuracy"])
    return net


def print_accuracy(
    title: str, state: str, net: keras.Model, images: NDArray[np.float32], classes: NDArray[np.float32]
) -> None:
    """Print the accuracy of a net on the images [N, ...] of a state, whose classes [N, C] are one-hot."""
    predicted = net.predict(images, batch_size=512, verbose=0).argmax(axis=-1)
    print(f"{title}: {state} accuracy {float((predicted == classes.argmax(axis=-1)).mean()):.4f}", flush=True)
