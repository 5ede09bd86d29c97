"""Build and train the model of models/: `python -m cifar10_resnet.train`; `--help` tells of the options.

The images come from the integration's own encoder, so that the model is trained on what it will be given. Validation
watches the training; the test state is looked at once, at the end.

Any backend of Keras trains (`KERAS_BACKEND=torch`, for one); the .onnx is written by TensorFlow's. After a training
elsewhere, `python -m cifar10_resnet.train --export` writes it from the .h5.
"""

import keras
import numpy as np
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from cifar10_resnet import encoders
from cifar10_resnet.config import Cifar10Config, load_config
from cifar10_resnet.data.batches import CLASSES, SIDE
from cifar10_resnet.data.preprocess import load_states
from data_access.errors import DataError
from tasks.classification.keras_model import resnet18
from tasks.classification.keras_training import COMPARED, compiled, print_accuracy
from tasks.classification.labelled_images import Images, LabelledImages
from tasks.training.batches import AugmentedBatches, of_images
from tasks.training.command_line import carry_out, training_parser
from tasks.training.fitting import Training
from tasks.training.schedule import warmup_and_cosine


def arrays(samples: Images) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[N, 32, 32, 3] float32 in [0, 1] and one-hot [N, 10] float32.

    Raises:
        ValueError: the state has no labels.
    """
    if not isinstance(samples, LabelledImages):
        raise ValueError("Unlabeled samples cannot be trained on.")
    return encoders.image(samples.images), np.eye(CLASSES, dtype=np.float32)[samples.labels]


def shift_and_flip(
    images: NDArray[np.float32], max_shift: int, mirrored_share: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Each image of [B, H, W, channels] shifted by up to `max_shift` pixels each way, and a share of them mirrored.

    What comes into view at a border is the image reflected in it.
    """
    count, height, width = images.shape[:3]
    edges = ((0, 0), (max_shift, max_shift), (max_shift, max_shift), (0, 0))
    padded = np.pad(images, edges, mode="reflect")
    top, left = rng.integers(0, 2 * max_shift + 1, (2, count, 1))
    columns = left + np.arange(width)
    mirrored = rng.random(count) < mirrored_share
    columns[mirrored] = columns[mirrored, ::-1]
    rows = top + np.arange(height)
    moved: NDArray[np.float32] = padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved


def cut_out(
    images: NDArray[np.float32], side: int, colour: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Each image of [B, H, W, channels] with a square in one colour, [channels], somewhere on it.

    DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017: the middle of the
    square may lie on any pixel, so that some of it may lie outside. With a `side` of 0 the images stay what they are.
    """
    count, height, width = images.shape[:3]
    top = rng.integers(0, height, (count, 1)) - side // 2
    left = rng.integers(0, width, (count, 1)) - side // 2
    rows, columns = np.arange(height) - top, np.arange(width) - left
    is_cut = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None]
    return np.where(is_cut[..., None], colour, images)


def build(config: Cifar10Config, images: NDArray[np.float32]) -> keras.Model:
    """The untrained net, which normalises by the mean and the standard deviation of these images, per channel."""
    pixels = images.reshape(-1, images.shape[-1])
    mean, std = pixels.mean(axis=0, dtype=np.float64), pixels.std(axis=0, dtype=np.float64)
    return resnet18((SIDE, SIDE, 3), CLASSES, config.training.width, mean.round(4).tolist(), std.round(4).tolist())


def training(config: Cifar10Config) -> Training:
    """What is trained, on what; the accuracy is that on test.

    Raises:
        DataError: there are no data to train on.
    """
    recipe = config.training
    states = load_states(config)
    images, classes = arrays(states[DataStateType.training])
    mean = images.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)

    def changed(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        return cut_out(shift_and_flip(batch, recipe.max_shift, recipe.mirrored, rng), recipe.cutout, mean, rng)

    batches = AugmentedBatches(images, classes, recipe.batch_size, of_images(changed), config.seed)
    test = arrays(states[DataStateType.test])

    rate = warmup_and_cosine(recipe, len(batches))
    optimizer = keras.optimizers.SGD(rate, recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return Training(
        config=config,
        batches=batches,
        watched=arrays(states[DataStateType.validation]),
        watched_state="validation",
        build=lambda in_training: build(config, images),
        compiled=lambda net: compiled(net, optimizer, recipe.label_smoothing),
        report=lambda title, net: print_accuracy(title, "test", net, *test),
        compared=test[0][:COMPARED],
    )


def main() -> None:
    """The command line."""
    carry_out(training_parser("cifar10_resnet").parse_args(), load_config, training, DataError)


if __name__ == "__main__":
    main()
