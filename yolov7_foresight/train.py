"""Build and train the model of models/: `python -m yolov7_foresight.train`.

The frames come from the integration's own encoders, so that the model is trained on what it will be given. `--data`
names another population to train on, `--init MODEL` an .h5 to start from, and `--output` where the files go:

    python -m yolov7_foresight.train --init models/yolov7_tiny_foresight.h5 --data cognata_b --output build/tuned_b

Any backend of Keras trains (`KERAS_BACKEND=torch`, for one); the .onnx is written by TensorFlow's. After a training
elsewhere, `python -m yolov7_foresight.train --export` writes it from the .h5.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from data_access.errors import DataError
from tasks.detection import encoders
from tasks.detection.augmentation import augment
from tasks.detection.average_precision import average_precisions
from tasks.detection.decode import decode
from tasks.detection.grid import Grid, fit_anchors
from tasks.detection.ground_truth import unpadded
from tasks.detection.keras_loss import DetectionLoss
from tasks.detection.keras_model import yolov7_tiny
from tasks.detection.keras_training import COUNTED, PrecisionWatch, optimizer
from tasks.training.batches import AugmentedBatches
from tasks.training.export import write_onnx
from tasks.training.history import HistoryWriter
from tasks.training.precision import use_mixed_precision_on_gpu
from yolov7_foresight.config import ForesightConfig, load_config
from yolov7_foresight.data.preprocess import Frames, load_population

COMPARED = 8
"""Frames on which the two formats of the model are compared."""


def arrays(frames: Frames, config: ForesightConfig) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Letterboxed images [N, H, W, 3] uint8, NHWC whatever the layout, and ground truth [N, M, 5].

    M is the most objects that a frame has, at most `most_objects`: padding only costs time.
    """
    size = config.input
    images = np.empty((len(frames.ids), size.height, size.width, 3), np.uint8)
    truth = np.empty((len(frames.ids), size.most_objects, 5), np.float32)
    for index, sample_id in enumerate(frames.ids):
        pixels, objects = frames.image(sample_id), frames.objects(sample_id)
        if objects is None:
            raise DataError(f"{frames.origin(sample_id)} has no labels, so nothing can be trained or measured on it.")
        images[index] = encoders.letterboxed(pixels, size.height, size.width)
        truth[index] = encoders.ground_truth(
            objects, (pixels.shape[1], pixels.shape[0]), size.height, size.width, size.most_objects
        )
    most = max(1, int((truth[..., 0] >= 0).sum(axis=1).max()))
    return images, truth[:, :most]


def build(config: ForesightConfig, logits: bool) -> keras.Model:
    """The net; see `tasks.detection.keras_model`."""
    return yolov7_tiny(config.grid, len(config.labels), config.training.width, logits)


def average_precision_50(
    model: keras.Model, images: NDArray[np.uint8], truth: NDArray[np.float32], grid: Grid, classes: int
) -> NDArray[np.float64]:
    """[classes] average precision at IoU 0.5 of a model that gives probabilities; NaN for a class without objects."""
    pairs = []
    for start in range(0, len(images), 32):
        batch = images[start : start + 32].astype(np.float32) / 255.0
        predicted = keras.ops.convert_to_numpy(model.predict_on_batch(batch))
        found = [image.detections for image in decode(predicted, classes, COUNTED, grid.height, grid.width)]
        objects = [unpadded(rows, grid.height, grid.width) for rows in truth[start : start + 32]]
        pairs += list(zip(objects, found, strict=True))
    per_threshold = average_precisions(pairs, classes, (0.5,))
    return np.asarray(per_threshold[0])


def train(
    config: ForesightConfig,
    name: Path,
    population: str,
    init: Path | None = None,
    tested: Sequence[str] = (),
    epochs: int | None = None,
) -> keras.Model:
    """Train on a population, write `name`.h5, .history.csv and, where the backend can, .onnx; print average precision.

    Args:
        name: path of the files without suffix.
        population: a labelled one; foresight is trained on its training part and watched on its validation part.
        init: .h5 to start from; the recipe is then that of fine-tuning.
        tested: further labelled populations whose average precision is printed before and after.
        epochs: instead of the recipe's.
    """
    recipe = config.training
    warmup, peak = recipe.warmup_epochs, recipe.learning_rate
    if init is not None:
        warmup, peak = 1, config.fine_tuning.learning_rate
    if epochs is None:
        epochs = recipe.epochs if init is None else config.fine_tuning.epochs
    keras.utils.set_random_seed(config.seed)
    use_mixed_precision_on_gpu()
    images, truth = arrays(load_population(config, population, "train" if population == "foresight" else ""), config)
    watched = arrays(load_population(config, "foresight", "val"), config)
    tests = {"foresight/val": watched} | {other: arrays(load_population(config, other), config) for other in tested}

    batches = AugmentedBatches(
        images,
        truth,
        recipe.batch_size,
        lambda batch, rows, rng: augment(batch, rows, recipe.augmentation, rng),
        config.seed,
    )
    model = build(config, logits=True)
    if init is not None:
        model.set_weights(keras.models.load_model(init, compile=False).get_weights())
        report(f"before, {init.name}", model, tests, config)
    chosen = optimizer(recipe, epochs, warmup, peak, len(batches))
    model.compile(chosen, DetectionLoss(config.grid, len(config.labels), config.loss_weights.in_order))

    def measure(decoded: keras.Model) -> dict[str, float]:
        found = average_precision_50(decoded, *watched, config.grid, len(config.labels))
        return {"val_ap50": float(np.nanmean(found))}

    model.fit(
        batches,
        epochs=epochs,
        validation_data=(watched[0].astype(np.float32) / 255.0, watched[1]),
        validation_batch_size=recipe.batch_size,
        callbacks=[
            PrecisionWatch(build(config, logits=False), measure),
            HistoryWriter(name.with_suffix(".history.csv"), monitored="validation"),
        ],
        verbose=2,
    )

    keras.mixed_precision.set_global_policy("float32")
    trained = build(config, logits=False)
    trained.set_weights(model.get_weights())
    trained.save(name.with_suffix(".h5"))
    report(name.name, trained, tests, config)
    if keras.backend.backend() == "tensorflow":
        write_onnx(name, watched[0][:COMPARED].astype(np.float32) / 255.0)
    else:
        print("Now run `python -m yolov7_foresight.train --export` where Keras has TensorFlow as its backend.")
    return trained


def report(
    title: str,
    model: keras.Model,
    tests: dict[str, tuple[NDArray[np.uint8], NDArray[np.float32]]],
    config: ForesightConfig,
) -> None:
    """Print the average precision of a model on populations, a line each."""
    decoded = build(config, logits=False)
    decoded.set_weights(model.get_weights())
    for population, (images, truth) in tests.items():
        found = average_precision_50(decoded, images, truth, config.grid, len(config.labels))
        each = ", ".join(f"{label} {value:.3f}" for label, value in zip(config.labels, found, strict=True))
        print(f"{title}: AP50 on {population} {np.nanmean(found):.3f} ({each})", flush=True)


def print_anchors(config: ForesightConfig) -> None:
    """Print anchors that fit the training boxes, as project_config.yaml writes them."""
    _, truth = arrays(load_population(config, "foresight", "train"), config)
    sizes = truth[truth[..., 0] >= 0][:, 3:] * (config.input.width, config.input.height)
    for level in fit_anchors(sizes, config.detector.strides, len(config.detector.anchors[0]), config.seed):
        print(f"    - [{', '.join(f'[{width:.0f}, {height:.0f}]' for width, height in level)}]")


def main() -> None:
    """The command line."""
    config = load_config()
    parser = argparse.ArgumentParser(description="Train the model of the yolov7_foresight example.")
    parser.add_argument("--data", default="foresight", metavar="POPULATION", help="what to train on [foresight]")
    parser.add_argument("--init", type=Path, metavar="MODEL", help="an .h5 to start from: fine-tune it")
    parser.add_argument("--output", type=Path, metavar="PATH", help="path of the files to write, without suffix")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of those of project_config.yaml")
    parser.add_argument("--test", nargs="*", default=[], metavar="POPULATION", help="further ones to measure AP50 on")
    parser.add_argument("--export", action="store_true", help="only write the .onnx, from the .h5 of a training")
    parser.add_argument("--anchors", action="store_true", help="only print anchors that fit the training boxes")
    given = parser.parse_args()
    name = given.output or config.model_path.with_suffix("")
    try:
        if given.anchors:
            print_anchors(config)
        elif given.export:
            images, _ = arrays(load_population(config, "foresight", "val"), config)
            write_onnx(name, images[:COMPARED].astype(np.float32) / 255.0)
        else:
            name.parent.mkdir(parents=True, exist_ok=True)
            train(config, name, given.data, given.init, given.test, given.epochs)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
