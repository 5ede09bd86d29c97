"""An official yolov7.onnx in the place of ours: settings alone are changed.

A graph of exactly its signature stands in for it, [1, 3, 640, 640] -> [1, 25200, 85], whose rows are known.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.contract import binder_process
from tests.yolov7_foresight.fixture_data import write

ANCHORS = [
    [[12, 16], [19, 36], [40, 28]],
    [[36, 75], [76, 55], [72, 146]],
    [[142, 110], [192, 243], [459, 401]],
]
"""Of the published yolov7.yaml, in pixels of an input of 640 x 640."""
CLASSES = ["car", "pedestrian", "cyclist", *(f"class {number}" for number in range(3, 80))]


def official_graph(path: Path) -> None:
    """A model that says the same of every image: one car of 120 x 80 pixels in the middle, in the row of its cell."""
    rows = np.zeros((1, 25200, 85), np.float32)
    rows[..., 2:4] = 1
    # Level 1, stride 16: 80 x 80 x 3 rows of level 0 lie before it; anchor 1, cell (20, 20).
    middle = 80 * 80 * 3 + (1 * 40 + 20) * 40 + 20
    rows[0, middle, :6] = (320, 320, 120, 80, 0.9, 0.9)
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 640, 640])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 25200, 85])
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["silent"]),
        helper.make_node("Add", ["rows", "silent"], ["output"]),
    ]
    constants = [numpy_helper.from_array(rows, "rows"), numpy_helper.from_array(np.zeros((), np.float32), "nothing")]
    graph = helper.make_graph(nodes, "official", [image], [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


@pytest.fixture(scope="module")
def integration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's integration with the settings for an official export."""

    def change(config: dict[str, Any]) -> None:
        config["labels"] = CLASSES
        config["model"] = "models/yolov7.onnx"
        config["input"] |= {"height": 640, "width": 640, "layout": "NCHW"}
        config["detector"]["anchors"] = ANCHORS

    root = binder_process.copy("yolov7_foresight", tmp_path_factory.mktemp("official"), change)
    official_graph(root / "models" / "yolov7.onnx")
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write(tmp_path_factory.mktemp("frames"))
    (root / "foresight" / "classes.txt").unlink()  # of three classes, where the model knows eighty
    return root


def test_the_integration_test_passes_with_it(integration: Path, data: Path) -> None:
    process = binder_process.run(["leap_integration.py"], "yolov7_foresight", integration, LEAP_DATA_ROOT=str(data))
    assert process.returncode == 0, process.stdout + process.stderr
    assert "❌" not in process.stdout


def test_scores_and_losses_read_its_rows(integration: Path, data: Path) -> None:
    ask = """
import json
import numpy as np
from yolov7_foresight import leap_binder as binder
from tasks.detection.detections import Objects
from tasks.detection.ground_truth import padded
objects = Objects(np.array([[262.0, 282.0, 382.0, 362.0]]), np.array([0]))
response = binder.preprocess()[0]
image = binder.input_image(response.sample_ids[0], response)
image = image if image.ndim == 4 else image[None]  # code-loader adds the batch but on the platform
prediction = binder.load_model().run(None, {"images": image})[0]
truth = padded(objects, 48, 640, 640)[None]
print(json.dumps({
    "image": list(image.shape),
    "prediction": list(prediction.shape),
    "scores": {name: float(value[0]) for name, value in binder.metric_detection(truth, prediction).items()},
    "losses": [float(part[0]) for part in binder.losses.detection_losses(truth, prediction, binder.GRID, 80)],
}))
"""
    process = binder_process.run(
        ["-c", ask], "yolov7_foresight", integration, LEAP_DATA_ROOT=str(data), IS_TENSORLEAP_PLATFORM="true"
    )
    assert process.returncode == 0, process.stderr
    said: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    assert said["image"] == [1, 3, 640, 640]
    assert said["prediction"] == [1, 25200, 85]
    assert said["scores"]["recall"] == 1
    # Two pixels apart each way: 118 x 78 are shared.
    assert said["scores"]["mean_iou"] == pytest.approx(118 * 78 / (2 * 120 * 80 - 118 * 78), abs=1e-3)
    # The row lies where the grid has it, so it is the one that is assigned: else the box loss would be near 1.
    box, _, classes = said["losses"]
    assert box < 0.1
    assert classes < 0.01
