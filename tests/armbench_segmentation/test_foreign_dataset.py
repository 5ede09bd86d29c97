"""Somebody else's COCO dataset and an official export of YOLOv5-seg: settings alone are changed.

The dataset has images of odd sizes, ids that leave gaps, categories of its own, one of which is left out, polygons in
several pieces, run-length codes and a crowd. A graph of exactly the official signature stands in for the model,
[B, 3, 640, 640] -> [B, 25200, 5 + 3 + 32] and [B, 32, 160, 160].
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from pycocotools import mask as coco_masks

from tests.contract import binder_process

LABELS = ["screw", "nut", "washer"]
SIZES = ((61, 47), (200, 93), (33, 128), (97, 97))
CATEGORIES = {3: "hex nut", 17: "wood screw", 40: "plain washer", 41: "machine screw", 90: "dust"}
ANCHORS = [
    [[10, 13], [16, 30], [33, 23]],
    [[30, 61], [62, 45], [59, 119]],
    [[116, 90], [156, 198], [373, 326]],
]
"""Of the published yolov5s-seg.yaml, in pixels of an input of 640 x 640."""


def mask_of(size: tuple[int, int], part: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """A rectangle by shares of the image's size, in columns, as pycocotools wants it."""
    width, height = size
    mask = np.zeros((height, width), np.uint8, order="F")
    x1, y1, x2, y2 = (round(share * side) for share, side in zip(part, (width, height) * 2, strict=True))
    mask[y1:y2, x1:x2] = 1
    return mask


def write_dataset(root: Path) -> None:
    """Two annotated files of four images each, and one of two images alone; the images lie in folders of their own."""
    rng = np.random.default_rng(7)
    for folder, count in (("train2031", 4), ("val2031", 4), ("rest", 2)):
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number in range(count):
            width, height = size = SIZES[number]
            image_id = 1000 + 37 * number
            name = f"shelf {number}/photo_{image_id}.png"
            path = root / "parts" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), rng.integers(0, 255, (height, width, 3), np.uint8))
            images.append({"id": image_id, "file_name": name, "width": width, "height": height, "license": 4})
            left = mask_of(size, (0.1, 0.1, 0.5, 0.4))
            code = coco_masks.encode(left)
            uncompressed = [int(run) for run in np.diff(np.flatnonzero(np.diff(left.ravel("F"), prepend=2, append=2)))]
            if left[0, 0]:
                uncompressed = [0, *uncompressed]
            w, h = width - 1, height - 1
            segmentations: list[Any] = [
                {"size": [height, width], "counts": code["counts"].decode()},
                {"size": [height, width], "counts": uncompressed},
                [
                    [0.6 * w, 0.1 * h, 0.9 * w, 0.1 * h, 0.9 * w, 0.5 * h],
                    [0.1 * w, 0.6 * h, 0.4 * w, 0.6 * h, 0.1 * w, h],
                ],
                [[0.6 * w, 0.6 * h, 0.95 * w, 0.6 * h, 0.95 * w, 0.95 * h, 0.6 * w, 0.95 * h]],
                [[0, 0, w, 0, w, h, 0, h]],
            ]
            for category, segmentation in zip((3, 17, 40, 41, 90), segmentations, strict=True):
                annotations.append(
                    {
                        "id": 5 * number + category,
                        "image_id": image_id,
                        "category_id": category,
                        "segmentation": segmentation,
                        "iscrowd": int(category == 17),
                    }
                )
        categories = [{"id": key, "name": name} for key, name in CATEGORIES.items()]
        content = {"images": images, "annotations": annotations, "categories": categories, "info": {"year": 2031}}
        if folder == "rest":
            del content["annotations"], content["categories"]
        (root / "parts" / f"instances_{folder}.json").write_text(json.dumps(content), encoding="utf-8")


def official_graph(path: Path) -> None:
    """A model that says the same of every image: a nut of 256 x 192 pixels, whose mask is the left half of its box."""
    rows = np.zeros((1, 25200, 40), np.float32)
    rows[..., 2:4] = 1
    rows[0, 80 * 80 * 3 + (2 * 40 + 10) * 40 + 12, :7] = (200, 160, 256, 192, 0.9, 0.05, 0.9)
    rows[0, 80 * 80 * 3 + (2 * 40 + 10) * 40 + 12, 8] = 1
    prototypes = np.zeros((1, 32, 160, 160), np.float32)
    prototypes[0, 0] = np.where(np.arange(160) < 50, 8.0, -8.0)
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 640, 640])
    outputs = [
        helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 25200, 40]),
        helper.make_tensor_value_info("output1", TensorProto.FLOAT, ["batch", 32, 160, 160]),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["mean", "nothing"], ["silent"]),
        helper.make_node("ReduceMean", ["silent"], ["silent row"], axes=[3], keepdims=0),
        helper.make_node("Add", ["rows", "silent row"], ["output0"]),
        helper.make_node("Add", ["prototypes", "silent"], ["output1"]),
    ]
    constants = [
        numpy_helper.from_array(rows, "rows"),
        numpy_helper.from_array(prototypes, "prototypes"),
        numpy_helper.from_array(np.zeros((), np.float32), "nothing"),
    ]
    graph = helper.make_graph(nodes, "official", [image], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


@pytest.fixture(scope="module")
def integration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the integration with the settings for that dataset and that model."""

    def change(config: dict[str, Any]) -> None:
        config["labels"] = LABELS
        config["model"] = "models/yolov5s-seg.onnx"
        config["dataset"] = {
            "folder": "parts",
            "training": {"annotations": "instances_train2031.json", "images": "train2031"},
            "validation": {"annotations": "instances_val2031.json", "images": "val2031"},
            "unlabeled": {"annotations": "instances_rest.json", "images": "rest"},
            "categories": {
                "hex nut": "nut",
                "wood screw": "screw",
                "machine screw": "screw",
                "plain washer": "washer",
                "dust": None,
            },
            "crowd_is_instance": False,
        }
        config["input"] |= {"size": 640, "layout": "NCHW"}
        config["metadata"]["container"] = None
        config["detector"]["anchors"] = ANCHORS

    root = binder_process.copy("armbench_segmentation", tmp_path_factory.mktemp("foreign"), change)
    official_graph(root / "models" / "yolov5s-seg.onnx")
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_dataset(root)
    return root


def test_the_integration_test_passes_on_it(integration: Path, data: Path) -> None:
    process = binder_process.run(
        ["leap_integration.py"], "armbench_segmentation", integration, LEAP_DATA_ROOT=str(data)
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "❌" not in process.stdout


def test_ground_truth_metadata_and_scores_are_those_of_its_objects(integration: Path, data: Path) -> None:
    ask = """
import json
import numpy as np
from armbench_segmentation import leap_binder as binder
training, validation, unlabeled = binder.preprocess()
name = training.sample_ids[0]
image = binder.input_image(name, training)
image = image if image.ndim == 4 else image[None]  # code-loader adds the batch but on the platform
prediction, prototypes = binder.load_model().run(None, {"images": image})
truth, masks = binder.ground_truth_objects(name, training), binder.ground_truth_masks(name, training)
truth, masks = (each if each.ndim == dimensions else each[None] for each, dimensions in ((truth, 3), (masks, 4)))
arguments = truth, masks, prediction, prototypes
print(json.dumps({
    "ids": {one.state.name: one.sample_ids for one in (training, validation, unlabeled)},
    "image": list(image.shape),
    "truth": truth[0, :4].tolist(),
    "masks": masks.sum(axis=(2, 3))[0, :4].tolist(),
    "counts": binder.metadata_counts(name, training),
    "file": binder.metadata_file(name, training),
    "unlabeled": binder.metadata_counts(unlabeled.sample_ids[0], unlabeled),
    "best": {number: float(value[0]) for number, value in binder.metric_best_mask_iou(*arguments).items()},
    "found": {label: float(value[0]) for label, value in binder.metric_detected(prediction).items()},
    "losses": {part: float(value[0]) for part, value in binder.metric_losses(*arguments).items()},
    "element": [binder.object_mask(name, training, 1).name, list(binder.object_mask(name, training, 1).mask.shape)],
}))
"""
    process = binder_process.run(
        ["-c", ask], "armbench_segmentation", integration, LEAP_DATA_ROOT=str(data), IS_TENSORLEAP_PLATFORM="true"
    )
    assert process.returncode == 0, process.stderr
    said: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    images = [f"instances_train2031_{1000 + 37 * number}" for number in range(4)]
    # The crowd and the dust are no objects; three are left of each image.
    assert said["ids"]["training"] == [*images, *(f"{name}_{number}" for name in images for number in range(3))]
    assert said["ids"]["unlabeled"] == ["instances_rest_1000", "instances_rest_1037"]
    assert said["image"] == [1, 3, 640, 640]
    assert said["file"] == {"file_name": "shelf 0/photo_1000.png", "width": 61, "height": 47}
    assert said["counts"] == {
        "instances": 3,
        "screw": 1,
        "nut": 1,
        "washer": 1,
        "crowds": 1,
        "beyond": 0,
        "unusable": 0,
    }
    assert set(said["unlabeled"].values()) == {None}

    # The nut of the first image: columns 6 to 30 of 61, rows 5 to 19 of 47, scaled to 640 x 493 and moved down by 73.
    scale, border = 640 / 61, 73
    label, x, y, width, height = said["truth"][0]
    assert label == 1
    # The crowd of screws has the row below them, and its mask.
    assert said["truth"][3][0] == -2
    assert said["masks"][3] > 0
    assert x * 640 == pytest.approx(18 * scale, abs=1e-2)
    assert width * 640 == pytest.approx(24 * scale, abs=1e-2)
    assert y * 640 == pytest.approx(12 * 493 / 47 + border, abs=0.6)
    assert height * 640 == pytest.approx(14 * 493 / 47, abs=0.6)
    assert said["masks"][0] == pytest.approx(24 * scale / 4 * 14 * 493 / 47 / 4, rel=0.03)
    # Two pieces, one annotation: the box is around both.
    assert said["truth"][1][3] > 0.7

    assert said["found"] == {"screw": 0, "nut": 1, "washer": 0}
    # Its mask: columns 18 to 49, rows 16 to 63 of 160; the nut's: 15.7 to 78.7, 31.4 to 68.1. Shared 32 x 32.6.
    shared, predicted, true = 32 * 32.6, 32 * 48, said["masks"][0]
    assert said["best"]["0"] == pytest.approx(shared / (predicted + true - shared), abs=0.02)
    assert (said["best"]["1"], said["best"]["2"]) == (0, 0)
    assert all(np.isfinite(value) for value in said["losses"].values())
    assert said["element"] == ["washer", [3, 640, 640]]


def test_the_platform_accepts_it_and_every_handler_runs(integration: Path, data: Path) -> None:
    found = binder_process.behaviour("armbench_segmentation", data, integration)
    assert (found["is_valid"], found["failed"]) == (True, {})
    assert {encoder["name"]: encoder["shapes"] for encoder in found["encoders"]} == {
        "image": ["(3, 640, 640)"],
        "objects": ["(32, 5)"],
        "masks": ["(32, 160, 160)"],
    }
    assert len(found["instances"]) > 6
    assert {instance["name"] for instance in found["instances"]} == {"screw", "nut", "washer"}
