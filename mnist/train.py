"""Build and train the model of models/: `python -m mnist.train`; `--help` tells of the options.

The images come from the integration's own encoder, so that the model is trained on what it will be given. A seeded
part of the *training* state is held out to watch the training; validation is looked at once, at the end.
"""

import cv2
import keras
import numpy as np
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from data_access.errors import DataError
from mnist import config as settings
from mnist import encoders
from mnist.config import MnistConfig, load_config
from mnist.data.preprocess import CLASSES, SIDE, Digits, load_states
from tasks.classification.keras_model import small_cnn
from tasks.classification.keras_training import COMPARED, compiled, print_accuracy
from tasks.training.batches import AugmentedBatches, of_images
from tasks.training.command_line import carry_out, training_parser
from tasks.training.fitting import Training
from tasks.training.schedule import warmup_and_cosine


def arrays(digits: Digits) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[N, 28, 28, 1] float32 in [0, 1] and one-hot [N, 10] float32."""
    images = np.stack([encoders.image(image) for image in digits.images])
    return images, np.eye(CLASSES, dtype=np.float32)[digits.labels]


def shift_turn_and_zoom(
    images: NDArray[np.float32], recipe: settings.Training, rng: np.random.Generator
) -> NDArray[np.float32]:
    """[B, 28, 28, 1] in [0, 1] -> the same, each digit after a random similarity transform of its own."""
    return np.stack([_transformed(image, recipe, rng) for image in images])


def _transformed(
    image: NDArray[np.float32], recipe: settings.Training, rng: np.random.Generator
) -> NDArray[np.float32]:
    angle = rng.uniform(-recipe.max_rotation, recipe.max_rotation)
    scale = rng.uniform(1 - recipe.max_zoom, 1 + recipe.max_zoom)
    matrix = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), angle, scale)
    shift = np.zeros((2, 3))
    shift[:, 2] = rng.uniform(-recipe.max_shift, recipe.max_shift, 2)
    moved = cv2.warpAffine(image[..., 0], matrix + shift, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)[..., np.newaxis]


def training(config: MnistConfig) -> Training:
    """What is trained, on what; the accuracy is that on validation.

    Raises:
        DataError: there are no data to train on.
    """
    recipe = config.training
    states = load_states(config)
    digits = states[DataStateType.training]
    if digits.source != "mnist":
        raise DataError("The shipped model is trained on MNIST; put mnist.npz under the data root.")
    images, classes = arrays(digits)
    order = np.random.default_rng(config.seed).permutation(len(images))
    held_out, kept = order[: recipe.monitored], order[recipe.monitored :]
    augmentation = of_images(lambda batch, rng: shift_turn_and_zoom(batch, recipe, rng))
    batches = AugmentedBatches(images[kept], classes[kept], recipe.batch_size, augmentation, config.seed)
    validation = arrays(states[DataStateType.validation])

    rate = warmup_and_cosine(recipe, len(batches))
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    return Training(
        config=config,
        batches=batches,
        watched=(images[held_out], classes[held_out]),
        watched_state="held out",
        build=lambda in_training: small_cnn((SIDE, SIDE, 1), CLASSES, dropout=recipe.dropout),
        compiled=lambda net: compiled(net, optimizer, recipe.label_smoothing),
        report=lambda title, net: print_accuracy(title, "validation", net, *validation),
        compared=validation[0][:COMPARED],
    )


def main() -> None:
    """The command line."""
    carry_out(training_parser("mnist").parse_args(), load_config, training, DataError)


if __name__ == "__main__":
    main()
