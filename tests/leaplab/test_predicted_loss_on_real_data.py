"""What predicted losses must reach on photographs whose labels the run does not have; `make bench` measures more."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import leaplab
from cifar10_resnet.data.batches import TRAINING_FILES, read_batches
from data_access.root import data_root

BATCHES = "cifar10/cifar-10-batches-py"
pytestmark = pytest.mark.real_data(BATCHES)
ROOT = Path(__file__).resolve().parents[2]
COUNT = 3000


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    options = ["--state", "validation", "--state", "unlabeled", "--limit", str(COUNT), "--name", "photographs"]
    command = [sys.executable, "-m", "leaplab", "evaluate", ROOT, "--runs", folder, *options]
    environment = {**os.environ, "LEAP_EXAMPLE": "cifar10_resnet"}
    subprocess.run(list(map(str, command)), env=environment, check=True, capture_output=True, timeout=300)
    return folder / "photographs"


def test_photographs_that_are_predicted_to_be_hard_are(photographs):
    run = leaplab.open_run(photographs)
    answer = run.predict_loss("unlabeled")
    _, labels = read_batches(data_root() / BATCHES, TRAINING_FILES)
    truth = np.array([labels[int(sample_id.removeprefix("train_"))] for sample_id in answer.ids])
    outputs = run._population.store.stored("predictions", "classes")
    assert outputs is not None
    outputs = outputs[answer.rows].astype(np.float64)
    loss = -np.log(outputs[np.arange(COUNT), truth])
    told = ~np.isnan(answer.low)

    assert roc_auc_score(outputs.argmax(axis=1) != truth, answer.ranking) >= 0.87
    assert answer.predicted.mean() == pytest.approx(loss.mean(), rel=0.1)
    assert ((loss >= answer.low) & (loss <= answer.high))[told].mean() == pytest.approx(0.9, abs=0.02)
    # What is said of it without these labels is what comes true.
    first = loss[: COUNT // 10].sum() / loss.sum()
    assert answer.skill.top_tenth_share == pytest.approx(first, abs=0.05)
    assert answer.withheld_share < 0.03
