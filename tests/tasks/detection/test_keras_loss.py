"""The losses in Keras against those in numpy."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.losses import detection_losses as reference
from tests.tasks.detection.on_a_grid import CLASSES, GRID, crowd, quiet, truth

ROOT = Path(__file__).resolve().parents[3]
BACKENDS = [name for name in ("tensorflow", "torch", "jax") if importlib.util.find_spec(name)]


def as_logits(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the trained net gives in the place of probabilities."""
    logits = prediction.copy()
    with np.errstate(divide="ignore"):
        logits[..., 4:] = np.log(prediction[..., 4:]) - np.log1p(-prediction[..., 4:])
    return np.nan_to_num(logits, posinf=80, neginf=-80)


def in_keras(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32], classes: int = CLASSES) -> Any:
    from tasks.detection.keras_loss import detection_losses

    return [np.asarray(part) for part in detection_losses(ground_truth, as_logits(prediction), GRID, classes)]


@pytest.mark.parametrize("seed", range(8))
def test_both_definitions_agree_on_crowds_and_on_an_empty_image(seed: int) -> None:
    ground_truth, prediction = crowd(seed)
    np.testing.assert_allclose(
        in_keras(ground_truth, prediction), reference(ground_truth, prediction, GRID, CLASSES), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize(
    "prediction", [quiet(0.0), quiet(1.0), quiet(0.3) * np.array([1e3, 1e3, 1e4, 1e4, 1, 1, 1, 1], np.float32)]
)
def test_both_definitions_agree_at_the_extremes(prediction: NDArray[np.float32]) -> None:
    ground_truth = np.stack([truth(), truth((10, 12, 26, 22, 1)), truth((0, 0, 96, 64, 2), (90, 60, 96, 64, 0))])
    batch = np.repeat(prediction[np.newaxis], 3, axis=0)
    losses = in_keras(ground_truth, batch)
    assert np.isfinite(losses).all()
    np.testing.assert_allclose(losses, reference(ground_truth, batch, GRID, CLASSES), atol=1e-4, rtol=1e-4)


def test_both_definitions_leave_out_crowds() -> None:
    ground_truth, prediction = crowd(5)
    expected = reference(ground_truth, prediction, GRID, CLASSES)
    ground_truth[ground_truth[..., 0] == -1] = (-3, 0.4, 0.4, 0.3, 0.3)  # of class 1
    np.testing.assert_allclose(in_keras(ground_truth, prediction), expected, atol=1e-4, rtol=1e-4)


def test_both_definitions_agree_on_one_class() -> None:
    ground_truth, prediction = crowd(0)
    ground_truth[..., 0] = np.minimum(ground_truth[..., 0], 0)
    prediction = prediction[..., :6]
    np.testing.assert_allclose(
        in_keras(ground_truth, prediction, 1), reference(ground_truth, prediction, GRID, 1), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_assigns_and_costs_as_numpy_does_on_the_shipped_grids(backend: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.tasks.detection.losses_in_keras"],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    report = json.loads(run.stdout.splitlines()[-1])
    assert {"foresight, eager: assignment", "armbench, eager: training"} <= set(report)
    for name, (found, expected) in report.items():
        if name.endswith("assignment"):
            assert found == expected, name
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_no_code_of_a_training_adds_by_an_addition_that_may_be_taken_for_a_bias() -> None:
    """See tasks/detection/keras_loss.py; `+` is the backend's own addition, which broadcasts."""
    files = [*ROOT.glob("tasks/**/*.py"), *ROOT.glob("*/train.py")]
    assert {"keras_loss.py", "keras_model.py", "train.py"} <= {file.name for file in files}
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Attribute) and ast.unparse(node).endswith("ops.add"))
        or (isinstance(node, ast.ImportFrom) and (node.module, "add") in [("keras.ops", a.name) for a in node.names])
    ]
    assert not found


def test_the_loss_of_a_batch_is_the_mean_of_its_weighted_samples() -> None:
    from tasks.detection.keras_loss import DetectionLoss

    ground_truth, prediction = crowd(1)
    weights = (0.1, 2.0, 0.5)
    expected = reference(ground_truth, prediction, GRID, CLASSES).total(weights).mean()
    loss = DetectionLoss(GRID, CLASSES, weights)(ground_truth, as_logits(prediction))
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)


def test_following_the_gradient_lowers_the_loss_and_finds_the_object() -> None:
    import keras

    from tasks.detection.keras_loss import DetectionLoss

    ground_truth = truth((10, 12, 26, 22, 1), (50, 30, 80, 60, 2))[np.newaxis]
    start = as_logits(quiet(0.1))
    start[:, :4] = np.random.default_rng(0).uniform(5, 60, (GRID.rows, 4))

    class Free(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.rows = self.add_weight(shape=start.shape, initializer=lambda shape, dtype: start)

        def call(self, x: Any) -> Any:
            return x * 0 + self.rows[None]

    inputs = keras.Input((1, 1))
    model = keras.Model(inputs, Free()(inputs))
    model.compile(keras.optimizers.Adam(0.3), DetectionLoss(GRID, CLASSES, (1, 1, 1)))
    losses = [float(model.train_on_batch(np.zeros((1, 1, 1)), ground_truth)) for _ in range(150)]
    assert np.isfinite(losses).all()
    final = np.asarray(model(np.zeros((1, 1, 1))))[0]
    probabilities = 1 / (1 + np.exp(-final[:, 4:]))
    for box, label in (((18, 17, 16, 10), 1), ((65, 45, 30, 30), 2)):
        best = max(np.flatnonzero(probabilities[:, 1 + label] > 0.5), key=lambda row: probabilities[row, 0])
        np.testing.assert_allclose(final[best, :4], box, atol=1.5)
