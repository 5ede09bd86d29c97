"""What is particular to this example's wiring. What holds for every example is tested in tests/contract."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract import binder_process

WITH_LABEL_ALONE = {"label", "class_name", "kind", "can_fly"}


@pytest.fixture(scope="module")
def found(example_data: Callable[[str], Path]) -> dict[str, Any]:
    return binder_process.behaviour("cifar10_resnet", example_data("cifar10_resnet"))


def test_insights_are_drawn_from_what_is_better_or_worse_alone(found: dict[str, Any]) -> None:
    insights = {name for name, metric in found["wiring"]["metrics"].items() if metric["compute_insights"]}
    assert insights == {"accuracy", "top_2_accuracy"}
    assert {found["wiring"]["metrics"][name]["direction"] for name in insights} == {"Upward"}
    assert set(found["wiring"]["metrics"]) == insights | {"confidence", "margin", "predicted_label", "confusion_matrix"}


def test_ground_truth_and_prediction_are_not_swapped(found: dict[str, Any]) -> None:
    truth_and_prediction = {"ground_truth": "ground truth classes", "prediction": "prediction 0"}
    handlers = found["wiring"]["handlers"]
    for name in ("cross_entropy", "accuracy", "top_2_accuracy", "confusion_matrix", "class_probabilities"):
        assert handlers[name] == truth_and_prediction, name
    for name in ("confidence", "margin", "predicted_label", "prediction"):
        assert handlers[name] == {"prediction": "prediction 0"}, name
    assert handlers["photograph"] == {"image": "input image"}


def test_there_are_four_states(found: dict[str, Any]) -> None:
    assert set(found["states"]) == {"training", "validation", "test", "unlabeled"}


def test_on_the_unlabeled_state_what_needs_no_ground_truth_runs(found: dict[str, Any]) -> None:
    scores = {score["node"] for score in found["scores"] if score["state"] == "unlabeled"}
    shown = {visualizer["node"] for visualizer in found["visualizers"] if visualizer["state"] == "unlabeled"}
    assert scores == {"confidence", "margin", "predicted_label"}
    assert shown == {"photograph", "prediction"}


def test_metadata_are_those_of_the_readme(found: dict[str, Any]) -> None:
    statistics = {name.removeprefix("image_") for name in found["metadata"] if name.startswith("image_")}
    assert {"brightness", "contrast", "saturation", "sharpness", "colour_temperature"} < statistics
    others = {name for name in found["metadata"] if not name.startswith("image_")}
    assert others == WITH_LABEL_ALONE | {"object_hue", "object_colour", "background_lightness"}


def test_tensors_have_the_shapes_that_the_model_takes(found: dict[str, Any]) -> None:
    shapes = {encoder["name"]: encoder["shapes"] for encoder in found["encoders"]}
    assert shapes == {"image": ["(32, 32, 3)"], "classes": ["(10,)"]}


def test_metadata_of_the_unlabeled_never_tell_the_label(example_data: Callable[[str], Path]) -> None:
    ask = """
import json, os
from code_loader import LeapLoader
from code_loader.contract.enums import DataStateEnum
loader = LeapLoader(os.getcwd(), "leap_binder.py")
loader.check_dataset()
ids = loader._preprocess_result()[DataStateEnum.unlabeled].sample_ids[:5]
absent = [loader.get_metadata(DataStateEnum.unlabeled, sample_id)[1] for sample_id in ids]
print(json.dumps([sorted(name for name, is_absent in one.items() if is_absent) for one in absent]))
"""
    process = binder_process.run(
        ["-c", ask], "cifar10_resnet", LEAP_DATA_ROOT=str(example_data("cifar10_resnet")), IS_TENSORLEAP_PLATFORM="true"
    )
    for absent in json.loads(process.stdout.splitlines()[-1]):
        assert set(absent) >= WITH_LABEL_ALONE
