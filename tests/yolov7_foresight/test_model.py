"""The shipped model, on generated validation frames as `generate` writes them."""

import csv
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from data_access.models import load_onnx_session
from tasks.detection import encoders
from tasks.detection.average_precision import COCO_THRESHOLDS, average_precisions
from tasks.detection.decode import Decoding, decode
from tasks.detection.ground_truth import unpadded
from tests.tasks.detection.conftest import Image, coco_evaluation
from tests.yolov7_foresight.fixture_data import REAL_DATA
from yolov7_foresight.config import ForesightConfig, load_config
from yolov7_foresight.data.preprocess import StoredFrames, load_population
from yolov7_foresight.generate import write_population

LEAST_PRECISION = 0.60
"""AP50 that the house asks of the model on generated validation frames."""
LARGEST_FILE = 25_000_000  # bytes
FRAMES = 100
"""Of the 400 of validation, the first: enough to tell, and drawn in seconds."""


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> StoredFrames:
    config = load_config()
    root = tmp_path_factory.mktemp("validation")
    foresight = replace(config.populations["foresight"], parts={"train": 1, "val": FRAMES})
    write_population("foresight", root, replace(config, populations={"foresight": foresight}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAP_DATA_ROOT", str(root))
        return load_population(config, "foresight", "val")


@pytest.fixture(scope="module")
def images(frames: StoredFrames) -> NDArray[np.float32]:
    size = load_config().input
    return np.stack(
        [encoders.image(frames.image(sample_id), size.height, size.width, "NHWC") for sample_id in frames.ids]
    )


@pytest.fixture(scope="module")
def prediction(images: NDArray[np.float32]) -> NDArray[np.float32]:
    session = load_onnx_session(load_config().model_path)
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: batch})[0] for batch in np.array_split(images, 10)])


@pytest.fixture(scope="module")
def found(prediction: NDArray[np.float32], frames: StoredFrames) -> list[Image]:
    """What is there and what the model says, of each frame."""
    config = load_config()
    size = config.input
    decoded = decode(prediction, 3, Decoding(0.001, 0.65, 100), size.height, size.width)
    pairs = []
    for sample_id, image in zip(frames.ids, decoded, strict=True):
        objects = frames.objects(sample_id)
        assert objects is not None
        rows = encoders.ground_truth(objects, frames.size(sample_id), size.height, size.width, size.most_objects)
        pairs.append((unpadded(rows, size.height, size.width), image.detections))
    return pairs


def test_the_model_finds_as_much_as_stated(found: list[Image]) -> None:
    assert float(np.nanmean(average_precisions(found, 3, (0.5,)))) >= LEAST_PRECISION


def test_its_average_precision_is_that_of_pycocotools(found: list[Image]) -> None:
    evaluation = coco_evaluation(found, 3, COCO_THRESHOLDS)
    # precision: [thresholds, recalls, classes, areas, most detections]
    expected = evaluation.eval["precision"][:, :, :, 0, -1].mean(axis=1)
    np.testing.assert_allclose(average_precisions(found, 3), expected, rtol=0, atol=1e-6)


def test_the_output_has_the_layout_of_an_official_export(
    prediction: NDArray[np.float32], config: ForesightConfig
) -> None:
    assert prediction.shape == (FRAMES, config.grid.rows, 5 + len(config.labels))
    assert prediction[..., 4:].min() >= 0
    assert prediction[..., 4:].max() <= 1


def test_both_model_files_give_the_same(
    config: ForesightConfig, images: NDArray[np.float32], prediction: NDArray[np.float32]
) -> None:
    import keras

    model: Any = keras.models.load_model(config.model_path.with_suffix(".h5"), compile=False)
    np.testing.assert_allclose(np.asarray(model(images[:4])), prediction[:4], rtol=1e-3, atol=1e-3)


def test_model_files_are_small_enough_for_git(config: ForesightConfig) -> None:
    for suffix in (".onnx", ".h5"):
        assert 100_000 < config.model_path.with_suffix(suffix).stat().st_size < LARGEST_FILE


def test_the_history_beside_the_model_tells_of_a_training_that_learned(config: ForesightConfig) -> None:
    with config.model_path.with_suffix(".history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = [float(row["value"]) for row in rows if (row["state"], row["metric"]) == ("validation", "ap50")]
    assert found[-1] >= LEAST_PRECISION > found[0]
    losses = [row for row in rows if (row["state"], row["metric"]) == ("validation", "loss")]
    assert len(losses) == config.training.epochs


@pytest.mark.real_data(REAL_DATA)
def test_the_anchors_and_the_input_take_in_the_real_frames(config: ForesightConfig) -> None:
    from tasks.detection.assignment import candidate_rows
    from vision.boxes import Boxes

    states = [load_population(config, "foresight", part) for part in ("train", "val")]
    sizes, without = 0, 0
    for frames in states:
        for sample_id in frames.ids:
            objects = frames.objects(sample_id)
            assert objects is not None
            size = config.input
            rows = encoders.ground_truth(objects, frames.size(sample_id), size.height, size.width, size.most_objects)
            boxes = Boxes.from_normalised(rows[rows[:, 0] >= 0][:, 1:].astype(np.float64), size.width, size.height)
            _, valid = candidate_rows(boxes.centre_and_size(), config.grid)
            sizes, without = sizes + len(valid), without + int((~valid.any(axis=1)).sum())
    assert sizes > 3_000
    assert without / sizes < 0.02, "objects that no anchor fits can never be learned"
