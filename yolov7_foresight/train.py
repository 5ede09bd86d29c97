"""Build and train the model of models/: `python -m yolov7_foresight.train`; `--help` tells of the options.

The frames come from the integration's own encoders, so that the model is trained on what it will be given. A trained
model can be trained further, on another population:

    python -m yolov7_foresight.train --init models/yolov7_tiny_foresight.h5 --data cognata_b --output build/tuned_b

Any backend of Keras trains (`KERAS_BACKEND=torch`, for one); the .onnx is written by TensorFlow's. After a training
elsewhere, `python -m yolov7_foresight.train --export` writes it from the .h5.
"""

from collections.abc import Sequence
from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from data_access.errors import DataError
from tasks.detection import encoders
from tasks.detection.augmentation import augment
from tasks.detection.average_precision import average_precisions
from tasks.detection.decode import decode
from tasks.detection.ground_truth import unpadded
from tasks.detection.keras_loss import DetectionLoss
from tasks.detection.keras_model import yolov7_tiny
from tasks.detection.keras_training import (
    COMPARED,
    COUNTED,
    PrecisionWatch,
    adamw,
    print_fitting_anchors,
    print_precision,
    scaled,
)
from tasks.training.batches import AugmentedBatches
from tasks.training.command_line import carry_out, training_parser
from tasks.training.fitting import Training
from yolov7_foresight.config import ForesightConfig, load_config
from yolov7_foresight.data.preprocess import Frames, load_population


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
    model: keras.Model, images: NDArray[np.uint8], truth: NDArray[np.float32], config: ForesightConfig
) -> NDArray[np.float64]:
    """[classes] average precision at IoU 0.5 of a model that gives probabilities; NaN for a class without objects."""
    (height, width), classes = config.input.shape, len(config.labels)
    pairs = []
    for start in range(0, len(images), 32):
        predicted = keras.ops.convert_to_numpy(model.predict_on_batch(scaled(images[start : start + 32])))
        found = [image.detections for image in decode(predicted, classes, COUNTED, height, width)]
        objects = [unpadded(rows, height, width) for rows in truth[start : start + 32]]
        pairs += list(zip(objects, found, strict=True))
    per_threshold = average_precisions(pairs, classes, (0.5,))
    return np.asarray(per_threshold[0])


def training(config: ForesightConfig, population: str = "foresight", tested: Sequence[str] = ()) -> Training:
    """What is trained, on what, and the average precision that is printed.

    Args:
        population: a labelled one; foresight is trained on its training part and watched on its validation part.
        tested: further labelled populations whose average precision is printed.

    Raises:
        DataError: a population is missing or has no labels.
    """
    recipe = config.training
    images, truth = arrays(load_population(config, population, "train" if population == "foresight" else ""), config)
    batches = AugmentedBatches(
        images,
        truth,
        recipe.batch_size,
        lambda batch, rows, rng: augment(batch, rows, recipe.augmentation, rng),
        config.seed,
    )
    watched = arrays(load_population(config, "foresight", "val"), config)
    tests = {"foresight/val": watched} | {other: arrays(load_population(config, other), config) for other in tested}

    def compiled(net: keras.Model) -> keras.Model:
        net.compile(
            adamw(recipe, len(batches)), DetectionLoss(config.grid, len(config.labels), config.loss_weights.in_order)
        )
        return net

    def measure(net: keras.Model) -> dict[str, float]:
        return {"val_ap50": float(np.nanmean(average_precision_50(net, *watched, config)))}

    def report(title: str, net: keras.Model) -> None:
        for measured, (frames, objects) in tests.items():
            found = average_precision_50(net, frames, objects, config)
            print_precision(title, f"on {measured}", config.labels, found)

    return Training(
        config=config,
        batches=batches,
        watched=(scaled(watched[0]), watched[1]),
        watched_state="validation",
        build=partial(build, config),
        compiled=compiled,
        report=report,
        compared=scaled(watched[0][:COMPARED]),
        callbacks=lambda: [PrecisionWatch(build(config, logits=False), measure, recipe.precision_every)],
    )


def main() -> None:
    """The command line."""
    parser = training_parser("yolov7_foresight", has_anchors=True)
    parser.add_argument("--data", default="foresight", metavar="POPULATION", help="what to train on [foresight]")
    parser.add_argument("--test", nargs="*", default=[], metavar="POPULATION", help="further ones to measure AP50 on")
    given = parser.parse_args()

    def config() -> ForesightConfig:
        return load_config() if given.init is None else load_config().fine_tuned()

    prepare = partial(training, population=given.data, tested=given.test)
    carry_out(given, config, prepare, DataError, print_fitting_anchors)


if __name__ == "__main__":
    main()
