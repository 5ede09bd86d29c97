from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace

from armbench_segmentation import encoders
from armbench_segmentation.config import ArmbenchConfig
from armbench_segmentation.data.coco import Instances
from armbench_segmentation.data.preprocess import load_state
from data_access.errors import DataError
from tasks.detection.ground_truth import PADDING, unpadded
from tests.armbench_segmentation.conftest import instances, rectangle
from vision.boxes import Boxes

TRAINING, VALIDATION, UNLABELED = DataStateType.training, DataStateType.validation, DataStateType.unlabeled


@pytest.fixture(scope="module")
def train() -> Any:
    """The module, which imports Keras."""
    from armbench_segmentation import train

    return train


@pytest.fixture
def quick(config: ArmbenchConfig, folder: Path) -> ArmbenchConfig:
    """A recipe of two epochs for a narrow net, on generated totes."""
    recipe = replace(config.training, width=0.125, epochs=2, warmup_epochs=1, batch_size=5, precision_every=2)
    return replace(config, input=replace(config.input, size=96), training=recipe)


def test_arrays_are_what_the_encoders_give(train: Any, quick: ArmbenchConfig) -> None:
    totes = load_state(quick, TRAINING)
    images, truth, masks = train.arrays(totes, quick)
    assert (images.dtype, images.shape) == (np.uint8, (8, 96, 96, 3))
    assert (masks.dtype, masks.shape[2:]) == (np.bool_, (24, 24))
    most = 0
    for row, sample_id in enumerate(totes.ids):
        np.testing.assert_allclose(images[row] / 255, encoders.image(totes.image(sample_id), 96, "NHWC"), atol=1e-6)
        objects = totes.objects(sample_id)
        assert objects is not None
        most = max(most, len(objects))
        whole = encoders.ground_truth(objects, 96, 32)
        np.testing.assert_array_equal(truth[row], whole[: truth.shape[1]])
        assert (whole[truth.shape[1] :, 0] == PADDING).all()
        np.testing.assert_array_equal(masks[row], encoders.masks(objects, 96, 4, truth.shape[1]) > 0)
    assert truth.shape[1] == most, "no more padding than the fullest image needs"
    assert train.arrays(totes, quick, 2).masks.shape == (8, most, 48, 48)


def test_what_is_found_in_a_crowd_is_no_mistake_to_the_average_precision(train: Any, quick: ArmbenchConfig) -> None:
    """One object and, on the right half, a crowd of objects, in which two are found that are surer than the object."""
    found = instances(
        [(0, rectangle(48, 0, 96, 96, (96, 96))), (0, rectangle(8, 8, 32, 32, (96, 96)))], (96, 96), [True, False]
    )

    class OneTote:
        ids = ("one",)

        def objects(self, sample_id: str) -> Instances:
            return found

        def image(self, sample_id: str) -> np.ndarray:
            return np.zeros((96, 96, 3), np.uint8)

    measured = train.arrays(OneTote(), quick)
    assert measured.truth[0, :, 0].tolist() == [0, -2]
    # (centre x, centre y, width, height, objectness, probabilities of two classes, coefficient)
    answers = np.array(
        [
            [20, 20, 24, 24, 0.5, 1, 0, 1],
            [60, 20, 16, 16, 0.9, 1, 0, 1],
            [60, 60, 16, 16, 0.8, 1, 0, 1],
        ],
        np.float32,
    )

    class Model:
        def predict_on_batch(self, batch: np.ndarray) -> list[np.ndarray]:
            return [answers[np.newaxis], np.full((1, 1, 24, 24), 20.0, np.float32)]

    with_crowd = train.average_precision_50(Model(), measured, quick)
    assert (with_crowd.boxes[0], with_crowd.masks[0]) == (1, 1)
    measured.truth[0, 1, 0] = PADDING
    without = train.average_precision_50(Model(), measured, quick)
    assert (without.boxes[0], without.masks[0]) == pytest.approx((1 / 3, 1 / 3))


def test_images_without_annotations_are_refused(train: Any, quick: ArmbenchConfig) -> None:
    with pytest.raises(DataError, match="has no annotations"):
        train.arrays(load_state(quick, UNLABELED), quick)


def test_the_average_precision_of_a_perfect_model_is_1_and_of_one_without_masks_0(
    train: Any, quick: ArmbenchConfig
) -> None:
    measured = train.arrays(load_state(quick, VALIDATION), quick)
    count, most = measured.truth.shape[:2]
    answers = np.zeros((count, most, 7 + most), np.float32)
    answers[..., 2:4] = 1
    # A prototype an object, and for each object the coefficient of its own.
    prototypes = np.where(measured.masks, 20.0, -20.0).astype(np.float32)
    for row, rows in enumerate(measured.truth):
        objects = unpadded(rows, 96, 96)
        answers[row, : len(objects), :4] = Boxes(objects.edges).centre_and_size()
        answers[row, : len(objects), 4] = 0.9
        answers[row, np.arange(len(objects)), 5 + objects.classes] = 1
        answers[row, np.arange(len(objects)), 7 + np.arange(len(objects))] = 1

    class Oracle:
        def __init__(self, outputs: list[np.ndarray]) -> None:
            self.outputs = outputs

        def predict_on_batch(self, batch: np.ndarray) -> list[np.ndarray]:
            assert len(batch) == count
            return self.outputs

    perfect = train.average_precision_50(Oracle([answers, prototypes]), measured, quick)
    np.testing.assert_allclose(perfect.boxes, [1, 1])
    # Small masks whose box lies between the middles of their pixels are cut away: they are few.
    assert (perfect.masks >= 0.9).all()
    blind = train.average_precision_50(Oracle([answers, -np.abs(prototypes)]), measured, quick)
    np.testing.assert_allclose(blind.boxes, [1, 1])
    np.testing.assert_allclose(blind.masks, [0, 0])


@pytest.mark.long  # minutes: a detector in Keras, and its export
def test_a_training_writes_the_model_in_both_formats_and_its_history(
    train: Any,
    quick: ArmbenchConfig,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tasks.training.fitting import Start, fit

    model = fit(train.training(quick), tmp_path / "tiny")
    assert {path.name for path in tmp_path.glob("tiny*")} == {"tiny.h5", "tiny.onnx", "tiny.history.csv"}
    assert model.output_shape == [(None, quick.grid.rows, 7 + 32), (None, 32, 24, 24)]
    said = capsys.readouterr().out
    assert "tiny: AP50 of boxes on validation 0." in said
    assert "tiny: AP50 of masks on validation 0." in said
    assert "tiny: .onnx within" in said
    history = (tmp_path / "tiny.history.csv").read_text(encoding="utf-8")
    for metric in ("validation,loss", "validation,box_ap50", "validation,mask_ap50"):
        assert metric in history

    fit(train.training(quick), tmp_path / "tuned", Start(init=tmp_path / "tiny.h5"))
    assert "before, tiny.h5: AP50 of boxes" in capsys.readouterr().out


def test_anchors_are_printed_as_the_settings_have_them(
    train: Any, quick: ArmbenchConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.detection.keras_training import print_fitting_anchors

    print_fitting_anchors(quick, train.training(quick))
    levels = msgspec.yaml.decode(capsys.readouterr().out)
    assert np.array(levels).shape == (3, 3, 2)
    assert (np.diff(np.array(levels).prod(axis=-1).ravel()) >= 0).all()
