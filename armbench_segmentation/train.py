"""Build and train the model of models/: `python -m armbench_segmentation.train`; `--help` tells of the options.

The images come from the integration's own encoders, so that the model is trained on what it will be given.

Any backend of Keras trains (`KERAS_BACKEND=torch`, for one); the .onnx is written by TensorFlow's. After a training
elsewhere, `python -m armbench_segmentation.train --export` writes it from the .h5.
"""

from functools import partial
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
from tasks.detection.ground_truth import PADDING
from tasks.detection.keras_training import (
    COMPARED,
    COUNTED,
    PrecisionWatch,
    adamw,
    print_fitting_anchors,
    print_precision,
    scaled,
)
from tasks.segmentation.augmentation import Targets, augment
from tasks.segmentation.average_precision import mask_average_precisions
from tasks.segmentation.decode import decode_instances
from tasks.segmentation.instances import unpadded_instances, unpadded_masked_crowds
from tasks.segmentation.keras_loss import SegmenterInTraining
from tasks.segmentation.keras_model import yolo_segmenter
from tasks.training.batches import AugmentedBatches
from tasks.training.command_line import carry_out, training_parser
from tasks.training.fitting import Training


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

    Crowds are there to measure by; the losses take no notice of them.

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
        most = min(len(instances), config.input.most_objects)
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
    pairs, crowds = [], []
    for start in range(0, len(measured.images), 32):
        part = slice(start, start + 32)
        outputs = model.predict_on_batch(scaled(measured.images[part]))
        predicted, prototypes = (keras.ops.convert_to_numpy(output) for output in outputs)
        found = decode_instances(predicted, prototypes, classes, COUNTED, size, size)
        truths = list(zip(measured.truth[part], measured.masks[part], strict=True))
        objects = [unpadded_instances(*rows, size, size) for rows in truths]
        pairs += list(zip(objects, found, strict=True))
        crowds += [unpadded_masked_crowds(*rows, size, size) for rows in truths]
    by_box, by_mask = (
        measure(pairs, classes, (0.5,), crowds) for measure in (average_precisions, mask_average_precisions)
    )
    return Precision(np.asarray(by_box[0]), np.asarray(by_mask[0]))


def training(config: ArmbenchConfig) -> Training:
    """What is trained, on what, and the average precision that is printed.

    Raises:
        DataError: the data are missing or have no annotations.
    """
    recipe, size = config.training, config.input.mask_size
    images, truth, masks = arrays(load_state(config, DataStateType.training), config, MASK_STRIDE // recipe.finer_masks)

    def changed(
        batch: NDArray[np.uint8], targets: tuple[NDArray[np.float32], NDArray[np.bool_]], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], Targets]:
        return augment(batch, *targets, (size, size), recipe.augmentation, rng)

    batches = AugmentedBatches(images, (truth, masks), recipe.batch_size, changed, config.seed)
    watched = arrays(load_state(config, DataStateType.validation), config)

    def compiled(net: keras.Model) -> keras.Model:
        model = SegmenterInTraining(net, config.grid, len(config.labels), config.loss_weights.in_order)
        model.compile(adamw(recipe, len(batches)))
        return model

    def measure(net: keras.Model) -> dict[str, float]:
        found = average_precision_50(net, watched, config)
        return {"val_box_ap50": float(np.nanmean(found.boxes)), "val_mask_ap50": float(np.nanmean(found.masks))}

    def report(title: str, net: keras.Model) -> None:
        for kind, values in average_precision_50(net, watched, config)._asdict().items():
            print_precision(title, f"of {kind} on validation", config.labels, values)

    return Training(
        config=config,
        batches=batches,
        watched=(scaled(watched.images), (watched.truth, watched.masks.astype(np.float32))),
        watched_state="validation",
        build=partial(build, config),
        compiled=compiled,
        report=report,
        compared=scaled(watched.images[:COMPARED]),
        callbacks=lambda: [PrecisionWatch(build(config, logits=False), measure, recipe.precision_every)],
    )


def main() -> None:
    """The command line."""
    given = training_parser("armbench_segmentation", has_anchors=True).parse_args()
    carry_out(given, load_config, training, DataError, print_fitting_anchors)


if __name__ == "__main__":
    main()
