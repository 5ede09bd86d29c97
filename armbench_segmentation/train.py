"""Build and train the model of models/: `python -m armbench_segmentation.train`.

The images come from the integration's own encoders, so that the model is trained on what it will be given. `--init
MODEL` names an .h5 to start from, and `--output` where the files go.

Any backend of Keras trains (`KERAS_BACKEND=torch`, for one); the .onnx is written by TensorFlow's. After a training
elsewhere, `python -m armbench_segmentation.train --export` writes it from the .h5.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from armbench_segmentation import encoders
from armbench_segmentation.config import MASK_STRIDE, ArmbenchConfig, load_config
from armbench_segmentation.data.preprocess import Totes, load_state
from data_access.errors import DataError
from tasks.detection.average_precision import average_precisions
from tasks.detection.encoders import letterboxed
from tasks.detection.grid import fit_anchors
from tasks.detection.ground_truth import PADDING
from tasks.detection.keras_training import COUNTED, PrecisionWatch, optimizer
from tasks.segmentation.augmentation import Targets, augment
from tasks.segmentation.average_precision import mask_average_precisions
from tasks.segmentation.decode import decode_instances
from tasks.segmentation.instances import unpadded_instances
from tasks.segmentation.keras_loss import SegmenterInTraining
from tasks.segmentation.keras_model import yolo_segmenter
from tasks.training.batches import AugmentedBatches
from tasks.training.export import write_onnx
from tasks.training.history import HistoryWriter
from tasks.training.precision import use_mixed_precision_on_gpu

FINER = 2
"""How much finer the masks are that are zoomed in training, so that their outlines stay smooth."""
COMPARED = 8
"""Images on which the two formats of the model are compared."""


class Arrays(NamedTuple):
    """What a net is trained or measured on.

    Attributes:
        images: letterboxed, [N, S, S, 3] uint8, NHWC whatever the layout.
        truth: ground truth [N, M, 5]; M is the most objects that an image has, at most `most_objects`.
        masks: in its rows, [N, M, S / stride, S / stride] bool.
    """

    images: NDArray[np.uint8]
    truth: NDArray[np.float32]
    masks: NDArray[np.bool_]


class Precision(NamedTuple):
    """Average precision at IoU 0.5 of each class, [classes]; NaN for a class without objects."""

    boxes: NDArray[np.float64]
    masks: NDArray[np.float64]


def arrays(totes: Totes, config: ArmbenchConfig, stride: int = MASK_STRIDE) -> Arrays:
    """The images of a state and what they show, with masks of which a pixel is `stride` pixels of the image.

    Raises:
        DataError: there are no annotations, so nothing can be trained or measured.
    """
    size = config.input.size
    found = []
    for sample_id in totes.ids:
        instances = totes.objects(sample_id)
        if instances is None:
            raise DataError(
                f"{totes.origin(sample_id)} has no annotations, so nothing can be trained or measured on it."
            )
        most = min(len(encoders.taught(instances)), config.input.most_objects)
        masks = encoders.masks(instances, size, stride, most)
        truth = encoders.ground_truth(instances, size, most)
        found.append((letterboxed(totes.image(sample_id), size, size), truth, masks.astype(bool)))
    # Padding only costs time, so there is no more of it than the fullest image needs.
    most = max(1, *(len(truth) for _, truth, _ in found))
    truths = np.zeros((len(found), most, 5), np.float32)
    truths[..., 0] = PADDING
    all_masks = np.zeros((len(found), most, size // stride, size // stride), bool)
    for row, (_, truth, masks) in enumerate(found):
        truths[row, : len(truth)], all_masks[row, : len(truth)] = truth, masks
    return Arrays(np.stack([image for image, _, _ in found]), truths, all_masks)


def build(config: ArmbenchConfig, logits: bool) -> keras.Model:
    """The net; see `tasks.segmentation.keras_model`."""
    return yolo_segmenter(config.grid, len(config.labels), config.training.width, logits, config.prototypes)


def average_precision_50(model: keras.Model, measured: Arrays, config: ArmbenchConfig) -> Precision:
    """By boxes and by masks, in pixels of the prototypes, of a model that gives probabilities."""
    size, classes = config.input.size, len(config.labels)
    pairs = []
    for start in range(0, len(measured.images), 32):
        images, truths, masks = (each[start : start + 32] for each in measured)
        outputs = model.predict_on_batch(images.astype(np.float32) / 255.0)
        predicted, prototypes = (keras.ops.convert_to_numpy(output) for output in outputs)
        found = decode_instances(predicted, prototypes, classes, COUNTED, size, size)
        objects = [unpadded_instances(*rows, size, size) for rows in zip(truths, masks, strict=True)]
        pairs += list(zip(objects, found, strict=True))
    by_box, by_mask = (measure(pairs, classes, (0.5,)) for measure in (average_precisions, mask_average_precisions))
    return Precision(np.asarray(by_box[0]), np.asarray(by_mask[0]))


def train(config: ArmbenchConfig, name: Path, init: Path | None = None, epochs: int | None = None) -> keras.Model:
    """Train, write `name`.h5, .history.csv and, where the backend can, .onnx; print average precision.

    Args:
        name: path of the files without suffix.
        init: .h5 to start from.
        epochs: instead of the recipe's.
    """
    recipe, size = config.training, config.input.mask_size
    epochs = epochs or recipe.epochs
    keras.utils.set_random_seed(config.seed)
    use_mixed_precision_on_gpu()
    images, truth, masks = arrays(load_state(config, DataStateType.training), config, MASK_STRIDE // FINER)
    watched = arrays(load_state(config, DataStateType.validation), config)

    def changed(
        batch: NDArray[np.uint8], targets: tuple[NDArray[np.float32], NDArray[np.bool_]], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], Targets]:
        return augment(batch, *targets, (size, size), recipe.augmentation, rng)

    batches = AugmentedBatches(images, (truth, masks), recipe.batch_size, changed, config.seed)
    net = build(config, logits=True)
    if init is not None:
        net.set_weights(keras.models.load_model(init, compile=False).get_weights())
        report(f"before, {init.name}", net, watched, config)
    model = SegmenterInTraining(net, config.grid, len(config.labels), config.loss_weights.all_in_order)
    warmup = min(recipe.warmup_epochs, epochs - 1)
    model.compile(optimizer(recipe, epochs, warmup, recipe.learning_rate, len(batches)))

    def measure(decoded: keras.Model) -> dict[str, float]:
        found = average_precision_50(decoded, watched, config)
        return {
            "val_box_ap50": float(np.nanmean(found.boxes)),
            "val_mask_ap50": float(np.nanmean(found.masks)),
        }

    model.fit(
        batches,
        epochs=epochs,
        validation_data=(
            watched.images.astype(np.float32) / 255.0,
            (watched.truth, watched.masks.astype(np.float32)),
        ),
        validation_batch_size=recipe.batch_size,
        callbacks=[
            PrecisionWatch(build(config, logits=False), measure),
            HistoryWriter(name.with_suffix(".history.csv"), monitored="validation"),
        ],
        verbose=2,
    )

    keras.mixed_precision.set_global_policy("float32")
    trained = build(config, logits=False)
    trained.set_weights(net.get_weights())
    trained.save(name.with_suffix(".h5"))
    report(name.name, trained, watched, config)
    if keras.backend.backend() == "tensorflow":
        write_onnx(name, watched.images[:COMPARED].astype(np.float32) / 255.0)
    else:
        print("Now run `python -m armbench_segmentation.train --export` where Keras has TensorFlow as its backend.")
    return trained


def report(title: str, model: keras.Model, measured: Arrays, config: ArmbenchConfig) -> None:
    """Print the average precision of a model, a line by boxes and one by masks."""
    decoded = build(config, logits=False)
    decoded.set_weights(model.get_weights())
    for kind, found in average_precision_50(decoded, measured, config)._asdict().items():
        each = ", ".join(f"{label} {value:.3f}" for label, value in zip(config.labels, found, strict=True))
        print(f"{title}: AP50 of {kind} on validation {np.nanmean(found):.3f} ({each})", flush=True)


def print_anchors(config: ArmbenchConfig) -> None:
    """Print anchors that fit the training boxes, as project_config.yaml writes them."""
    truth = arrays(load_state(config, DataStateType.training), config).truth
    sizes = truth[truth[..., 0] >= 0][:, 3:] * config.input.size
    for level in fit_anchors(sizes, config.detector.strides, len(config.detector.anchors[0]), config.seed):
        print(f"    - [{', '.join(f'[{width:.0f}, {height:.0f}]' for width, height in level)}]")


def main() -> None:
    """The command line."""
    config = load_config()
    parser = argparse.ArgumentParser(description="Train the model of the armbench_segmentation example.")
    parser.add_argument("--init", type=Path, metavar="MODEL", help="an .h5 to start from")
    parser.add_argument("--output", type=Path, metavar="PATH", help="path of the files to write, without suffix")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of those of project_config.yaml")
    parser.add_argument("--export", action="store_true", help="only write the .onnx, from the .h5 of a training")
    parser.add_argument("--anchors", action="store_true", help="only print anchors that fit the training boxes")
    given = parser.parse_args()
    name = given.output or config.model_path.with_suffix("")
    try:
        if given.anchors:
            print_anchors(config)
        elif given.export:
            validation = arrays(load_state(config, DataStateType.validation), config)
            write_onnx(name, validation.images[:COMPARED].astype(np.float32) / 255.0)
        else:
            name.parent.mkdir(parents=True, exist_ok=True)
            train(config, name, given.init, given.epochs)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
