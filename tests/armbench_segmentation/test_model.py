"""The shipped model, on generated validation totes as `generate` writes them."""

import csv
from typing import Any, NamedTuple

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace
from numpy.typing import NDArray

from armbench_segmentation import encoders
from armbench_segmentation.config import MASK_STRIDE, ArmbenchConfig, load_config
from armbench_segmentation.data.preprocess import load_state
from armbench_segmentation.generate import dataset_folder, generate
from data_access.models import load_onnx_session
from tasks.detection.average_precision import COCO_THRESHOLDS, average_precisions
from tasks.detection.decode import Decoding
from tasks.segmentation.average_precision import mask_average_precisions
from tasks.segmentation.decode import decode_instances
from tasks.segmentation.instances import MaskedDetections, MaskedObjects, unpadded_instances
from tests.tasks.detection.conftest import coco_evaluation
from tests.tasks.segmentation.conftest import coco_precision

LEAST_BOX_PRECISION, LEAST_MASK_PRECISION = 0.60, 0.50
"""AP50 that the house asks of the model on generated validation totes."""
LARGEST_FILE = 25_000_000  # bytes
IMAGES = 60
"""Of the 250 of validation, the first: enough to tell, and drawn in seconds."""


class Answer(NamedTuple):
    """What the model says of the images, and what is there."""

    images: NDArray[np.float32]
    prediction: NDArray[np.float32]
    prototypes: NDArray[np.float32]
    found: list[tuple[MaskedObjects, MaskedDetections]]


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    config = load_config()
    size, most = config.input.size, config.input.most_objects
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAP_DATA_ROOT", str(tmp_path_factory.mktemp("validation")))
        some = replace(config.generator, training=1, validation=IMAGES, unlabeled=1)
        generate(replace(config, generator=some), dataset_folder(config))
        totes = load_state(config, DataStateType.validation)
        images, truth = [], []
        for sample_id in totes.ids:
            objects = totes.objects(sample_id)
            assert objects is not None
            images.append(encoders.image(totes.image(sample_id), size, "NHWC"))
            rows = encoders.ground_truth(objects, size, most), encoders.masks(objects, size, MASK_STRIDE, most)
            truth.append(unpadded_instances(*rows, size, size))
    session = load_onnx_session(config.model_path)
    name = session.get_inputs()[0].name
    outputs = [session.run(None, {name: batch}) for batch in np.array_split(np.stack(images), 10)]
    prediction, prototypes = (np.concatenate([output[part] for output in outputs]) for part in (0, 1))
    counted = Decoding(least_score=0.001, suppression_iou=0.65, most=100)
    detections = decode_instances(prediction, prototypes, len(config.labels), counted, size, size)
    return Answer(np.stack(images), prediction, prototypes, list(zip(truth, detections, strict=True)))


def test_the_model_finds_as_much_as_stated(answer: Answer) -> None:
    assert average_precisions(answer.found, 2, (0.5,)).mean() >= LEAST_BOX_PRECISION
    assert mask_average_precisions(answer.found, 2, (0.5,)).mean() >= LEAST_MASK_PRECISION


def test_its_average_precision_is_that_of_pycocotools(answer: Answer) -> None:
    # precision: [thresholds, recalls, classes, areas, most detections]
    boxes = coco_evaluation(answer.found, 2, COCO_THRESHOLDS).eval["precision"][:, :, :, 0, -1].mean(axis=1)
    np.testing.assert_allclose(average_precisions(answer.found, 2), boxes, rtol=0, atol=1e-6)
    masks = coco_precision(answer.found, 2).mean(axis=1)
    np.testing.assert_allclose(mask_average_precisions(answer.found, 2), masks, rtol=0, atol=1e-6)


def test_the_outputs_have_the_layout_of_an_official_export(answer: Answer, config: ArmbenchConfig) -> None:
    assert answer.prediction.shape == (IMAGES, config.grid.rows, 5 + 2 + config.prototypes)
    assert answer.prototypes.shape == (IMAGES, config.prototypes, config.input.mask_size, config.input.mask_size)
    probabilities = answer.prediction[..., 4:7]
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1


def test_both_model_files_give_the_same(answer: Answer, config: ArmbenchConfig) -> None:
    import keras

    model: Any = keras.models.load_model(config.model_path.with_suffix(".h5"), compile=False)
    for found, expected in zip(model(answer.images[:4]), (answer.prediction, answer.prototypes), strict=True):
        np.testing.assert_allclose(np.asarray(found), expected[:4], rtol=1e-3, atol=1e-3)


def test_model_files_are_small_enough_for_git(config: ArmbenchConfig) -> None:
    for suffix in (".onnx", ".h5"):
        assert 100_000 < config.model_path.with_suffix(suffix).stat().st_size < LARGEST_FILE


def test_the_history_beside_the_model_tells_of_a_training_that_learned(config: ArmbenchConfig) -> None:
    with config.model_path.with_suffix(".history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    def values(metric: str) -> list[float]:
        return [float(row["value"]) for row in rows if (row["state"], row["metric"]) == ("validation", metric)]

    assert values("box_ap50")[-1] >= LEAST_BOX_PRECISION
    assert values("mask_ap50")[-1] >= LEAST_MASK_PRECISION
    losses = values("loss")
    assert len(losses) == config.training.epochs
    assert losses[-1] < losses[0] / 2
