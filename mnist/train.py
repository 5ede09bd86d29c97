"""Build and train the model of models/: `python -m mnist.train`.

The images come from the integration's own encoder, so that the model is trained on what it will be given. A seeded
part of the *training* state is held out to watch the training; validation is looked at once, at the end.
"""

from pathlib import Path

import cv2
import keras
import numpy as np
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from data_access.errors import DataError
from mnist import encoders
from mnist.config import HERE, MnistConfig, Training, load_config
from mnist.data.preprocess import CLASSES, SIDE, Digits, load_states
from tasks.classification.keras_model import small_cnn
from tasks.training.batches import AugmentedBatches, of_images
from tasks.training.export import export
from tasks.training.history import HistoryWriter

MODELS = HERE.parent / "models"


def arrays(digits: Digits) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[N, 28, 28, 1] float32 in [0, 1] and one-hot [N, 10] float32."""
    images = np.stack([encoders.image(image) for image in digits.images])
    return images, np.eye(CLASSES, dtype=np.float32)[digits.labels]


def shift_turn_and_zoom(images: NDArray[np.float32], recipe: Training, rng: np.random.Generator) -> NDArray[np.float32]:
    """[B, 28, 28, 1] in [0, 1] -> the same, each digit after a random similarity transform of its own."""
    return np.stack([_transformed(image, recipe, rng) for image in images])


def _transformed(image: NDArray[np.float32], recipe: Training, rng: np.random.Generator) -> NDArray[np.float32]:
    angle = rng.uniform(-recipe.max_rotation, recipe.max_rotation)
    scale = rng.uniform(1 - recipe.max_zoom, 1 + recipe.max_zoom)
    matrix = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), angle, scale)
    shift = np.zeros((2, 3))
    shift[:, 2] = rng.uniform(-recipe.max_shift, recipe.max_shift, 2)
    moved = cv2.warpAffine(image[..., 0], matrix + shift, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)[..., np.newaxis]


def train(config: MnistConfig, name: Path) -> keras.Model:
    """Train, write `name`.h5, .onnx and .history.csv, and print the accuracy on validation."""
    recipe = config.training
    keras.utils.set_random_seed(config.seed)
    states = load_states(config)
    digits = states[DataStateType.training]
    if digits.source != "mnist":
        raise DataError("The shipped model is trained on MNIST; put mnist.npz under the data root.")

    images, classes = arrays(digits)
    order = np.random.default_rng(config.seed).permutation(len(images))
    held_out, kept = order[: recipe.monitored], order[recipe.monitored :]
    batches = AugmentedBatches(
        images[kept],
        classes[kept],
        recipe.batch_size,
        of_images(lambda batch, rng: shift_turn_and_zoom(batch, recipe, rng)),
        config.seed,
    )

    model = small_cnn((SIDE, SIDE, 1), CLASSES)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, recipe.epochs * len(batches), warmup_target=recipe.learning_rate, warmup_steps=len(batches)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.02),
        metrics=["accuracy"],
    )
    model.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=(images[held_out], classes[held_out]),
        callbacks=[HistoryWriter(name.with_suffix(".history.csv"))],
        verbose=2,
    )

    validation_images, validation_classes = arrays(states[DataStateType.validation])
    difference = export(model, name, validation_images[:256])
    predicted = model.predict(validation_images, batch_size=512, verbose=0).argmax(axis=-1)
    accuracy = float((predicted == validation_classes.argmax(axis=-1)).mean())
    print(f"{name.name}: validation accuracy {accuracy:.4f}, .onnx within {difference:.1g} of .h5")
    return model


if __name__ == "__main__":
    train(load_config(), MODELS / "mnist_cnn")
