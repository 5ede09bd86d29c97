"""Build and train the model of models/: `python -m cifar10_resnet.train`.

The images come from the integration's own encoder, so that the model is trained on what it will be given. Validation
watches the training; the test state is looked at once, at the end.

Any backend of Keras trains (`KERAS_BACKEND=torch`, for one); the .onnx is written by TensorFlow's. After a training
elsewhere, `python -m cifar10_resnet.train --export` writes it from the .h5.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from cifar10_resnet import encoders
from cifar10_resnet.config import Cifar10Config, load_config
from cifar10_resnet.data.batches import CLASSES, SIDE
from cifar10_resnet.data.preprocess import load_states
from tasks.classification.keras_model import resnet18
from tasks.classification.labelled_images import Images, LabelledImages
from tasks.training.batches import AugmentedBatches, of_images
from tasks.training.export import write_onnx
from tasks.training.history import HistoryWriter
from tasks.training.precision import use_mixed_precision_on_gpu

COMPARED = 256
"""Test images on which the two formats of the model are compared."""


def arrays(samples: Images) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[N, 32, 32, 3] float32 in [0, 1] and one-hot [N, 10] float32.

    Raises:
        ValueError: the state has no labels.
    """
    if not isinstance(samples, LabelledImages):
        raise ValueError("Unlabeled samples cannot be trained on.")
    return encoders.image(samples.images), np.eye(CLASSES, dtype=np.float32)[samples.labels]


def shift_and_flip(images: NDArray[np.float32], max_shift: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Each image of [B, H, W, channels] shifted by up to `max_shift` pixels each way, and half of them mirrored.

    What comes into view at a border is the image reflected in it.
    """
    count, height, width = images.shape[:3]
    edges = ((0, 0), (max_shift, max_shift), (max_shift, max_shift), (0, 0))
    padded = np.pad(images, edges, mode="reflect")
    top, left = rng.integers(0, 2 * max_shift + 1, (2, count, 1))
    columns = left + np.arange(width)
    mirrored = rng.random(count) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    rows = top + np.arange(height)
    moved: NDArray[np.float32] = padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved


def build(config: Cifar10Config, images: NDArray[np.float32]) -> keras.Model:
    """The untrained net, which normalises by the mean and the standard deviation of these images, per channel."""
    pixels = images.reshape(-1, images.shape[-1])
    mean, std = pixels.mean(axis=0, dtype=np.float64), pixels.std(axis=0, dtype=np.float64)
    return resnet18((SIDE, SIDE, 3), CLASSES, config.training.width, mean.round(4).tolist(), std.round(4).tolist())


def train(config: Cifar10Config, name: Path) -> keras.Model:
    """Train, write `name`.h5 and .history.csv and, where the backend can, .onnx; print the accuracy on test."""
    recipe = config.training
    keras.utils.set_random_seed(config.seed)
    use_mixed_precision_on_gpu()
    states = load_states(config)
    images, classes = arrays(states[DataStateType.training])
    batches = AugmentedBatches(
        images,
        classes,
        recipe.batch_size,
        of_images(lambda batch, rng: shift_and_flip(batch, recipe.max_shift, rng)),
        config.seed,
    )

    model = build(config, images)
    steps, warmup = recipe.epochs * len(batches), recipe.warmup_epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup
    )
    optimizer = keras.optimizers.SGD(rate, recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
    )
    model.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=arrays(states[DataStateType.validation]),
        validation_batch_size=500,
        callbacks=[HistoryWriter(name.with_suffix(".history.csv"), monitored="validation")],
        verbose=2,
    )

    keras.mixed_precision.set_global_policy("float32")
    trained = build(config, images)
    trained.set_weights(model.get_weights())
    trained.save(name.with_suffix(".h5"))
    test_images, test_classes = arrays(states[DataStateType.test])
    predicted = trained.predict(test_images, batch_size=500, verbose=0).argmax(axis=-1)
    print(f"{name.name}: test accuracy {float((predicted == test_classes.argmax(axis=-1)).mean()):.4f}")
    if keras.backend.backend() == "tensorflow":
        write_onnx(name, test_images[:COMPARED])
    else:
        print("Now run `python -m cifar10_resnet.train --export` where Keras has TensorFlow as its backend.")
    return trained


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the model of the cifar10_resnet example.")
    parser.add_argument("--export", action="store_true", help="only write the .onnx, from the .h5 of a training")
    config = load_config()
    name = config.model_path.with_suffix("")
    if parser.parse_args().export:
        images, _ = arrays(load_states(config)[DataStateType.test])
        write_onnx(name, images[:COMPARED])
    else:
        train(config, name)


if __name__ == "__main__":
    main()
