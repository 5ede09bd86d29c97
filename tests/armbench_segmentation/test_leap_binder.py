"""What is particular to this example's wiring. What holds for every example is tested in tests/contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from armbench_segmentation.config import ArmbenchConfig
from tasks.segmentation.metrics import SCORES
from tests.contract import binder_process

TRUTH = {"ground_truth": "ground truth objects", "masks": "ground truth masks"}
OUTPUTS = {"prediction": "prediction 0", "prototypes": "prediction 1"}
HIGHER_IS_BETTER = {"mask_precision", "mask_recall", "mask_f1", "mask_mean_iou"}


@pytest.fixture(scope="module")
def found(generated: Path) -> dict[str, Any]:
    return binder_process.behaviour("armbench_segmentation", generated)


def test_the_platform_accepts_it_with_its_objects_as_samples(found: dict[str, Any], generated: Path) -> None:
    assert (found["is_valid"], found["failed"]) == (True, {})
    assert {state: ids["count"] for state, ids in found["states"].items()} == {
        "training": 8,
        "validation": 4,
        "unlabeled": 4,
    }
    for state, name in (("training", "train"), ("validation", "val")):
        content = json.loads((generated / f"armbench/mix-object-tote/{name}.json").read_bytes())
        assert found["states"][state]["instances"] == len(content["annotations"])
    assert found["states"]["unlabeled"]["instances"] == 0


def test_objects_and_totes_are_described_one_by_one(found: dict[str, Any]) -> None:
    assert {instance["name"] for instance in found["instances"]} == {"Object", "Tote"}
    for instance in found["instances"]:
        share = "NoneType" if instance["name"] == "Tote" else "float"
        assert {key: kind for key, (kind, _) in instance["metadata"].items()} == {
            "category": "str",
            "area_share": "float",
            "occluded_share": share,
            "touches_border": "bool",
        }


def test_every_handler_is_fed_with_what_its_arguments_are_called(found: dict[str, Any]) -> None:
    handlers = found["wiring"]["handlers"]
    for name in ("yolo_loss", "loss", "segmentation", "best_mask_iou"):
        assert handlers[name] == {**TRUTH, **OUTPUTS}, name
    for name in ("box", "confusion_matrix"):
        assert handlers[name] == {"ground_truth": TRUTH["ground_truth"], "prediction": OUTPUTS["prediction"]}, name
    for name in ("detected", "confidence"):
        assert handlers[name] == {"prediction": OUTPUTS["prediction"]}, name
    image = {"image": "input image"}
    assert handlers["tote"] == image
    assert handlers["objects"] == {**image, "ground_truth": TRUTH["ground_truth"]}
    assert handlers["detections"] == {**image, "prediction": OUTPUTS["prediction"]}
    assert handlers["masks"] == {**image, **TRUTH}
    assert handlers["predicted_masks"] == {**image, **OUTPUTS}
    for name in ("over_segmented", "under_segmented"):
        assert handlers[name] == {**image, **TRUTH, **OUTPUTS}, name


def test_each_score_says_whether_more_of_it_is_better(generated: Path) -> None:
    ask = """
import json, os
from code_loader import LeapLoader
from code_loader.inner_leap_binder import global_leap_binder
LeapLoader(os.getcwd(), "leap_binder.py").check_dataset()
setup = global_leap_binder.setup_container
metrics = {one.metric_handler_data.name: one.metric_handler_data for one in setup.metrics + setup.instance_metrics}
print(json.dumps({
    name: [
        {key: value.name for key, value in one.direction.items()} if isinstance(one.direction, dict)
        else one.direction.name,
        one.compute_insights,
    ]
    for name, one in metrics.items() if name in ("segmentation", "box", "loss", "best_mask_iou", "detected")
}))
"""
    process = binder_process.run(
        ["-c", ask], "armbench_segmentation", LEAP_DATA_ROOT=str(generated), IS_TENSORLEAP_PLATFORM="true"
    )
    metrics = json.loads(process.stdout.splitlines()[-1])
    directions, insights = metrics["segmentation"]
    assert set(directions) == set(SCORES)
    assert {name for name, direction in directions.items() if direction == "Upward"} == HIGHER_IS_BETTER
    assert {name for name, wanted in insights.items() if not wanted} == {
        "over_segmentation_confidence",
        "under_segmentation_small_objects",
    }
    assert metrics["loss"][0] == dict.fromkeys(("box", "objectness", "classes", "masks"), "Downward")
    assert metrics["best_mask_iou"] == ["Upward", True]
    assert set(metrics["detected"][1].values()) == {False}


def test_on_the_unlabeled_state_what_needs_no_ground_truth_runs(found: dict[str, Any]) -> None:
    scores = {score["node"] for score in found["scores"] if score["state"] == "unlabeled"}
    shown = {visualizer["node"] for visualizer in found["visualizers"] if visualizer["state"] == "unlabeled"}
    assert {name.partition("-")[0] for name in scores} == {"detected", "confidence"}
    assert shown == {"tote", "detections", "predicted_masks"}


def test_tensors_have_the_shapes_that_the_model_takes(found: dict[str, Any], config: ArmbenchConfig) -> None:
    shapes = {encoder["name"]: encoder["shapes"] for encoder in found["encoders"]}
    most = config.input.most_objects
    assert shapes == {"image": ["(320, 320, 3)"], "objects": [f"({most}, 5)"], "masks": [f"({most}, 80, 80)"]}
