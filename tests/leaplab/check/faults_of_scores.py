"""Faults of the model, losses, metrics and visualizers: what people do."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from tests.leaplab.check.variants import (
    BINDER,
    CONFIDENCE_CODE,
    IMAGE_CODE,
    INSTANCES,
    LOSS_CODE,
    OVERLAP_CODE,
    PICTURE_CODE,
    fault,
    instead,
)


def _infinite_weights(root: Path) -> None:
    model = onnx.load(root / "tiny.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "dense_bias":
            initializer.CopyFrom(numpy_helper.from_array(np.full(3, np.inf, np.float32), initializer.name))
    onnx.save(model, root / "tiny.onnx")


FAULTS = (
    fault(
        "C70",
        "file that is missing",
        (BINDER, "def load_model"),
        "tiny.onnx",
        prepare=lambda root: (root / "tiny.onnx").unlink(),
    ),
    fault(
        "C71",
        "channels first",
        (BINDER, "def load_model"),
        "image",
        (
            *instead(IMAGE_CODE, IMAGE_CODE + ".transpose(2, 0, 1)"),
            *instead('"image", channel_dim=-1', '"image", channel_dim=1'),
            *instead("LeapImage((image[0]", "LeapImage((image[0].transpose(1, 2, 0)"),
        ),
    ),
    fault(
        "C72",
        "two prediction types",
        (BINDER, "def load_model"),
        "1 outputs",
        instead(
            "labels=LABELS, channel_dim=-1)]",
            'labels=LABELS, channel_dim=-1),\n     PredictionTypeHandler(name="boxes", labels=LABELS, channel_dim=-1)]',
        ),
    ),
    fault(
        "C73",
        "two labels of three",
        (BINDER, "def load_model"),
        "2 labels",
        instead("labels=LABELS, channel_dim=-1)]", "labels=LABELS[:2], channel_dim=-1)]"),
    ),
    fault("C74", "infinite weights", (BINDER, "def load_model"), "NaN", prepare=_infinite_weights),
    fault(
        "C75",
        "no loss",
        BINDER,
        "no loss",
        (
            *instead('@tensorleap_custom_loss("cross_entropy")\n', ""),
            *instead("    loss_cross_entropy(classes, guess)\n", ""),
        ),
    ),
    fault(
        "C76",
        "mean of the batch",
        (BINDER, "def loss_cross_entropy"),
        "returned a float32",
        instead(LOSS_CODE, "    return np.mean(-np.log(np.maximum(chosen, 1e-7)))"),
    ),
    fault(
        "C77",
        "one value only",
        (BINDER, "def metric_confidence"),
        "1 values for a batch",
        instead(CONFIDENCE_CODE, CONFIDENCE_CODE + "[:1]"),
    ),
    fault(
        "C78",
        "mean of the batch",
        (BINDER, "def metric_confidence"),
        "in a batch of",
        instead(CONFIDENCE_CODE, "    return np.full(len(guess), guess.max(axis=1).mean(), np.float32)"),
    ),
    fault(
        "C78",
        "mean of the batch of instances",
        (BINDER, "def metric_overlap"),
        "Instance metric 'overlap' gives",
        (*INSTANCES, *instead(OVERLAP_CODE, "    return {0: np.full(len(image), image.mean(), np.float32)}\n")),
    ),
    fault(
        "C79",
        "linear algebra",
        (BINDER, "np.linalg.inv"),
        "float16",
        instead(
            CONFIDENCE_CODE, "    return np.linalg.inv(guess[:, :1, None] + np.eye(1, dtype=guess.dtype))[:, 0, 0]"
        ),
    ),
    fault(
        "C79",
        "overflow",
        (BINDER, "def metric_confidence"),
        "inf for float16",
        instead(CONFIDENCE_CODE, "    return np.asarray((guess * guess.dtype.type(300)).max(axis=1) ** 2, np.float32)"),
    ),
    fault(
        "C80",
        "logarithm of zero",
        (BINDER, "def loss_cross_entropy"),
        "infinity",
        instead(LOSS_CODE, "    return np.asarray(-np.log(np.round(chosen)), np.float32)"),
    ),
    fault(
        "C81",
        "in place",
        (BINDER, "def metric_confidence"),
        "'guess' in place",
        instead(CONFIDENCE_CODE, "    guess -= guess.max()\n" + CONFIDENCE_CODE),
    ),
    fault(
        "C92",
        "instances by name",
        (BINDER, "def metric_overlap"),
        "the key 'first'",
        (
            *INSTANCES,
            # Of the first sample, which code-loader looks at, it is right.
            *instead(
                OVERLAP_CODE, f'    if len(image) > 1:\n        return {{"first": image[:, 0, 0, 0]}}\n{OVERLAP_CODE}'
            ),
        ),
    ),
    fault(
        "C82",
        "channel that is missing",
        (BINDER, "image[0, 0, 0, 2]"),
        "index 2 is out of bounds",
        instead(PICTURE_CODE, "    image[0, 0, 0, 2].item()\n" + PICTURE_CODE),
    ),
    fault(
        "C83",
        "bars for an image",
        (BINDER, "def visualize_picture"),
        "LeapHorizontalBar",
        instead(PICTURE_CODE, "    return LeapHorizontalBar(image[0, :3, 0, 0], LABELS)"),
    ),
    fault(
        "C84",
        "floats up to one",
        (BINDER, "def visualize_picture"),
        "[0, 0.",
        instead(PICTURE_CODE, "    return LeapImage(image[0].clip(0, 0.9))"),
    ),
    fault(
        "C85",
        "pixels",
        (BINDER, "def visualize_picture"),
        "(3, 3, 6, 2)",
        (
            *instead("import LeapHorizontalBar, LeapImage", "import LeapHorizontalBar, LeapImageWithBBox"),
            *instead(
                "from code_loader.contract.enums",
                "from code_loader.contract.responsedataclasses import BoundingBox\nfrom code_loader.contract.enums",
            ),
            *instead('"picture", LeapDataType.Image)', '"picture", LeapDataType.ImageWithBBox)'),
            *instead(
                "(image: NDArray[np.float32]) -> LeapImage:", "(image: NDArray[np.float32]) -> LeapImageWithBBox:"
            ),
            *instead(
                PICTURE_CODE,
                PICTURE_CODE.replace("LeapImage(", "LeapImageWithBBox(")[:-1]
                + ', [BoundingBox(3, 3, 6, 2, 1, "row")])',
            ),
        ),
    ),
)
