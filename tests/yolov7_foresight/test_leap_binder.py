"""What is particular to this example's wiring. What holds for every example is tested in tests/contract.

On generated frames, because real ones have no generated population beside them: so all four states are met.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract import binder_process
from tests.yolov7_foresight.fixture_data import OF_EACH, write

SCORES = {"precision", "recall", "f1", "mean_iou", "false_positives", "false_negatives"}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def found(generated: Path) -> dict[str, Any]:
    return binder_process.behaviour("yolov7_foresight", generated)


def test_the_platform_accepts_it_with_all_four_states(found: dict[str, Any]) -> None:
    assert (found["is_valid"], found["failed"]) == (True, {})
    assert {state: ids["count"] for state, ids in found["states"].items()} == {
        "training": OF_EACH,
        "validation": OF_EACH,
        "unlabeled": OF_EACH,
        "additional": 2 * OF_EACH,
    }


def test_ground_truth_and_prediction_are_not_swapped(found: dict[str, Any]) -> None:
    truth_and_prediction = {"ground_truth": "ground truth objects", "prediction": "prediction 0"}
    handlers = found["wiring"]["handlers"]
    for name in ("yolov7_loss", "loss", "detection", "confusion_matrix"):
        assert handlers[name] == truth_and_prediction, name
    for name in ("detected", "confidence"):
        assert handlers[name] == {"prediction": "prediction 0"}, name
    assert handlers["frame"] == {"image": "input image"}
    assert handlers["objects"] == {"image": "input image", "ground_truth": "ground truth objects"}
    assert handlers["detections"] == {"image": "input image", "prediction": "prediction 0"}
    assert handlers["misses_and_false_alarms"] == {"image": "input image", **truth_and_prediction}


def test_each_score_says_whether_more_of_it_is_better(generated: Path) -> None:
    ask = """
import json, os
from code_loader import LeapLoader
from code_loader.inner_leap_binder import global_leap_binder
LeapLoader(os.getcwd(), "leap_binder.py").check_dataset()
metrics = {one.metric_handler_data.name: one.metric_handler_data for one in global_leap_binder.setup_container.metrics}
print(json.dumps({
    name: [
        {key: value.name for key, value in metrics[name].direction.items()},
        metrics[name].compute_insights,
    ]
    for name in ("detection", "loss", "detected")
}))
print(json.dumps(global_leap_binder.leap_analysis_configuration.domain_gap_metadata))
"""
    process = binder_process.run(
        ["-c", ask], "yolov7_foresight", LEAP_DATA_ROOT=str(generated), IS_TENSORLEAP_PLATFORM="true"
    )
    said = process.stdout.splitlines()
    metrics, domain = json.loads(said[-2]), json.loads(said[-1])
    directions, insights = metrics["detection"]
    assert set(directions) == SCORES
    assert {name for name, direction in directions.items() if direction == "Downward"} == {
        "false_positives",
        "false_negatives",
    }
    assert set(insights.values()) == {True}
    assert metrics["loss"] == [
        dict.fromkeys(("box", "objectness", "classes"), "Downward"),
        dict.fromkeys(("box", "objectness", "classes"), True),
    ]
    assert set(metrics["detected"][1].values()) == {False}
    assert domain == ["origin"]


def test_what_domains_are_told_apart_by_is_a_metadata_value(found: dict[str, Any]) -> None:
    assert found["metadata"]["origin"]["declared"] == "str"


def test_on_the_unlabeled_state_what_needs_no_ground_truth_runs(found: dict[str, Any]) -> None:
    scores = {score["node"] for score in found["scores"] if score["state"] == "unlabeled"}
    shown = {visualizer["node"] for visualizer in found["visualizers"] if visualizer["state"] == "unlabeled"}
    assert {name.partition("-")[0] for name in scores} == {"detected", "confidence"}
    assert shown == {"frame", "detections"}


def test_tensors_have_the_shapes_that_the_model_takes(found: dict[str, Any]) -> None:
    shapes = {encoder["name"]: encoder["shapes"] for encoder in found["encoders"]}
    assert shapes == {"image": ["(256, 320, 3)"], "objects": ["(48, 5)"]}


def test_the_simulation_makes_samples_that_know_their_parameters(generated: Path) -> None:
    ask = """
import json, os
import numpy as np
from code_loader import LeapLoader
from code_loader.contract.enums import DataStateEnum
loader = LeapLoader(os.getcwd(), "leap_binder.py")
loader.check_dataset()
parameters = dict(fisheye=0.5, exposure=0.0, temperature=5000.0, red_spread=0.7, noise=0.01, blur=0.5, dusk=0.8)
from yolov7_foresight import leap_binder as binder
one, again = (binder.simulate_cognata(N=3, seed=5, **parameters) for _ in range(2))
images = [np.stack([binder.input_image(name, response) for name in response.sample_ids]) for response in (one, again)]
print(json.dumps({
    "state": one.state.name,
    "ids": one.sample_ids,
    "same": bool(np.array_equal(*images)),
    "distinct": len({image.tobytes() for image in images[0]}),
    "metadata": binder.metadata_simulation(one.sample_ids[0], one),
    "origin": binder.metadata_origin(one.sample_ids[0], one),
    "objects": int((binder.ground_truth_objects(one.sample_ids[0], one)[:, 0] >= 0).sum()),
    "by position": bool(np.array_equal(binder.input_image(one.sample_ids[0], one), images[0][0])),
}))
"""
    process = binder_process.run(
        ["-c", ask], "yolov7_foresight", LEAP_DATA_ROOT=str(generated), IS_TENSORLEAP_PLATFORM="true"
    )
    assert process.returncode == 0, process.stderr
    said = json.loads(process.stdout.splitlines()[-1])
    assert (said["state"], len(set(said["ids"]))) == ("additional", 3)
    assert (said["same"], said["distinct"], said["by position"]) == (True, 3, True)
    assert said["metadata"] == {
        "fisheye": 0.5,
        "exposure": 0.0,
        "temperature": 5000.0,
        "red_spread": 0.7,
        "noise": 0.01,
        "blur": 0.5,
        "dusk": 0.8,
    }
    assert said["origin"] == "cognata"
    assert said["objects"] > 0
