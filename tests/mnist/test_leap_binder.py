"""What is particular to this example's wiring. What holds for every example is tested in tests/contract."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract import binder_process


@pytest.fixture(scope="module")
def found(example_data: Callable[[str], Path]) -> dict[str, Any]:
    return binder_process.behaviour("mnist", example_data("mnist"))


def test_insights_are_drawn_from_what_is_better_or_worse_alone(found: dict[str, Any]) -> None:
    insights = {name: metric["compute_insights"] for name, metric in found["wiring"]["metrics"].items()}
    assert insights == {"accuracy": True, "confidence": False, "predicted_label": False, "confusion_matrix": False}
    assert found["wiring"]["metrics"]["accuracy"]["direction"] == "Upward"


def test_ground_truth_and_prediction_are_not_swapped(found: dict[str, Any]) -> None:
    truth_and_prediction = {"ground_truth": "ground truth classes", "prediction": "prediction 0"}
    handlers = found["wiring"]["handlers"]
    for name in ("cross_entropy", "accuracy", "confusion_matrix", "class_probabilities"):
        assert handlers[name] == truth_and_prediction, name
    assert handlers["confidence"] == handlers["predicted_label"] == {"prediction": "prediction 0"}
    assert handlers["digit"] == {"image": "input image"}


def test_metadata_are_those_of_the_readme(found: dict[str, Any]) -> None:
    distances = ["to_own_class", "nearest_class", *(f"to_class_{digit}" for digit in range(10))]
    assert set(found["metadata"]) == {
        "label",
        "even_odd",
        "has_loop",
        "holes",
        "brightness",
        "ink_fraction",
        "source",
        *(f"distance_{name}" for name in distances),
    }


def test_tensors_have_the_shapes_that_the_model_takes(found: dict[str, Any]) -> None:
    shapes = {encoder["name"]: encoder["shapes"] for encoder in found["encoders"]}
    assert shapes == {"image": ["(28, 28, 1)"], "classes": ["(10,)"]}
