"""What heat-maps must reach on real photographs and digits; `make bench` measures more, on more of them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from PIL import Image

import leaplab

pytestmark = pytest.mark.real_data("mnist/mnist.npz", "cifar10/cifar-10-batches-py")
ROOT = Path(__file__).resolve().parents[3]
SHOWN = 40


def evaluated(folder: Path, example: str, state: str) -> leaplab.Run:
    command = [sys.executable, "-m", "leaplab", "evaluate", ROOT, "--runs", folder, "--name", example]
    command += ["--state", state, "--limit", "200"]
    subprocess.run(
        list(map(str, command)),
        env={**os.environ, "LEAP_EXAMPLE": example},
        check=True,
        capture_output=True,
        timeout=300,
    )
    return leaplab.open_run(folder / example)


def inserted(session: Any, picture: Any, start: Any, values: Any, place: int) -> float:
    """Mean probability of a class while the pixels come back, the highest values first (Petsiuk et al., 2018)."""
    height, width, channels = picture.shape
    fine = Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    order = np.argsort(-np.asarray(fine).reshape(-1), kind="stable")
    steps = []
    for share in np.linspace(0, 1, 17):
        mixed = start.reshape(-1, channels).copy()
        first = order[: round(share * len(order))]
        mixed[first] = picture.reshape(-1, channels)[first]
        steps.append(mixed.reshape(picture.shape))
    (classes,) = session.run(None, {session.get_inputs()[0].name: np.stack(steps).astype(np.float32)})
    return float(classes[:, place].mean())


@pytest.mark.parametrize(
    ("name", "model", "state"),
    [("cifar10_resnet", "cifar10_resnet_18", "test"), ("mnist", "mnist_cnn", "validation")],
)
def test_what_a_map_points_at_brings_the_class_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, model: str, state: str
) -> None:
    run = evaluated(tmp_path, name, state)
    monkeypatch.setenv("LEAP_EXAMPLE", name)
    session = onnxruntime.InferenceSession(str(ROOT / "models" / f"{model}.onnx"))
    generator = np.random.default_rng(0)
    scores: dict[str, list[float]] = {"ablation": [], "occlusion": [], "random": []}
    try:
        for sample_id in run.ids[:SHOWN]:
            answers = {
                method: run.heatmap(sample_id, "class:all", method=method) for method in ("ablation", "occlusion")
            }
            picture, place = answers["ablation"].picture, int(answers["ablation"].targets.argmax())
            blurred = cv2.GaussianBlur(picture, (0, 0), 4).reshape(picture.shape)
            start = blurred if name == "cifar10_resnet" else np.zeros_like(picture)
            maps = {method: answer.values[place] for method, answer in answers.items()}
            maps["random"] = generator.random(picture.shape[:2])
            for method, values in maps.items():
                scores[method].append(inserted(session, picture, start, values, place))
    finally:
        run.close()
    means = {method: np.mean(each) for method, each in scores.items()}
    assert means["ablation"] >= means["random"] + 0.15  # of 500 it is 0.2
    assert means["ablation"] >= means["occlusion"] - 0.02
