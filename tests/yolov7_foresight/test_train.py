from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from data_access.errors import DataError
from tasks.detection import encoders
from tasks.detection.ground_truth import PADDING, unpadded
from tests.yolov7_foresight.fixture_data import small, write
from vision.boxes import Boxes
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.data.preprocess import load_population


@pytest.fixture(scope="module")
def train() -> Any:
    """The module, which imports Keras."""
    from yolov7_foresight import train

    return train


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("frames"))


@pytest.fixture
def quick(config: ForesightConfig, frames: Path, monkeypatch: pytest.MonkeyPatch) -> ForesightConfig:
    """A recipe of two epochs for a narrow net, on small generated frames."""
    monkeypatch.setenv("LEAP_DATA_ROOT", str(frames))
    recipe = replace(config.training, width=0.125, epochs=2, warmup_epochs=1, batch_size=6)
    return replace(
        small(config),
        input=replace(config.input, height=96, width=128),
        training=recipe,
        fine_tuning=replace(config.fine_tuning, epochs=2),
    )


def test_arrays_are_what_the_encoders_give(train: Any, quick: ForesightConfig) -> None:
    population = load_population(quick, "foresight", "train")
    images, truth = train.arrays(population, quick)
    assert (images.dtype, images.shape[1:]) == (np.uint8, (96, 128, 3))
    most = 0
    for row, sample_id in enumerate(population.ids):
        encoded = encoders.image(population.image(sample_id), 96, 128, "NHWC")
        np.testing.assert_allclose(images[row] / 255, encoded, atol=1e-6)
        objects = population.objects(sample_id)
        assert objects is not None
        most = max(most, len(objects))
        whole = encoders.ground_truth(objects, (240, 180), 96, 128, 48)
        np.testing.assert_array_equal(truth[row], whole[: truth.shape[1]])
        assert (whole[truth.shape[1] :, 0] == PADDING).all()
    assert truth.shape[1] == most, "no more padding than the fullest frame needs"


def test_a_population_without_labels_is_refused(train: Any, quick: ForesightConfig) -> None:
    with pytest.raises(DataError, match="foresight_unlabeled has no labels"):
        train.arrays(load_population(quick, "foresight_unlabeled"), quick)


def test_the_average_precision_of_a_perfect_model_is_1_and_of_a_silent_one_0(
    train: Any, quick: ForesightConfig
) -> None:
    images, truth = train.arrays(load_population(quick, "foresight", "val"), quick)
    answers = np.zeros((len(images), 40, 8), np.float32)
    answers[..., 2:4] = 1
    for row, rows in enumerate(truth):
        objects = unpadded(rows, 96, 128)
        answers[row, : len(objects), :4] = Boxes(objects.edges).centre_and_size()
        answers[row, : len(objects), 4] = 0.9
        answers[row, np.arange(len(objects)), 5 + objects.classes] = 1

    class Oracle:
        def __init__(self, known: np.ndarray) -> None:
            self.known, self.seen = known, 0

        def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
            self.seen += len(batch)
            return self.known[self.seen - len(batch) : self.seen]

    found = train.average_precision_50(Oracle(answers), images, truth, quick)
    present = np.unique(truth[truth[..., 0] >= 0][:, 0]).astype(int)
    np.testing.assert_allclose(found[present], 1.0)
    silent = train.average_precision_50(Oracle(answers * [1, 1, 1, 1, 0, 1, 1, 1]), images, truth, quick)
    np.testing.assert_allclose(silent[present], 0.0)


@pytest.mark.long  # minutes: a detector in Keras, and its export
def test_a_training_writes_the_model_in_both_formats_and_its_history(
    train: Any, quick: ForesightConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.training.fitting import Start, fit

    model = fit(train.training(quick), tmp_path / "tiny")
    assert {path.name for path in tmp_path.glob("tiny*")} == {"tiny.h5", "tiny.onnx", "tiny.history.csv"}
    assert model.output_shape == (None, quick.grid.rows, 8)
    said = capsys.readouterr().out
    assert "tiny: AP50 on foresight/val 0." in said
    assert "tiny: .onnx within" in said
    assert "validation,loss" in (tmp_path / "tiny.history.csv").read_text(encoding="utf-8")

    # From there, another population is trained on; a third is measured before and after.
    further = train.training(quick.fine_tuned(), "cognata_b", ["foresight_fisheye"])
    fit(further, tmp_path / "tuned", Start(init=tmp_path / "tiny.h5"))
    lines = [line for line in capsys.readouterr().out.splitlines() if "foresight_fisheye" in line]
    assert [line.partition(":")[0] for line in lines] == ["before, tiny.h5", "tuned"]


def test_anchors_are_printed_as_the_settings_have_them(
    train: Any, quick: ForesightConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.detection.keras_training import print_fitting_anchors

    print_fitting_anchors(quick, train.training(quick))
    levels = msgspec.yaml.decode(capsys.readouterr().out)
    assert np.array(levels).shape == (3, 3, 2)
    areas = np.array(levels).prod(axis=-1).ravel()
    assert (np.diff(areas) >= 0).all()
