"""A detector that looks like a torch export of a YOLO: NCHW in, [batch, 4 + classes, anchors] out, batch of one."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pallets.config import CFG, HEIGHT, NUM_CLASSES, ROOT, WIDTH

rng = np.random.default_rng(8)
nodes, weights, parts = [], {}, []


def add(op, inputs, output, **attributes):
    name = output.rsplit("_output_0", 1)[0]
    nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
    return output


def const(name, array, dtype=np.float32):
    weights[name] = np.asarray(array, dtype=dtype)
    return name


for level, stride in enumerate(CFG["strides"]):
    at = f"/model.22/cv.{level}"
    rows, cols = HEIGHT // stride, WIDTH // stride
    kernel = rng.normal(0, 0.002, (4 + NUM_CLASSES, 3, stride, stride))
    kernel[4:] -= 0.5 / stride**2
    for label in range(NUM_CLASSES):
        kernel[4 + label, label] += 1.5 / stride**2
    const(f"model.22.cv.{level}.weight", kernel * np.array([1.0] * 4 + [9.0] * NUM_CLASSES).reshape(-1, 1, 1, 1))
    const(f"model.22.cv.{level}.bias", [0.0] * 4 + [-2.5] * NUM_CLASSES)
    conv = add("Conv", ["images", f"model.22.cv.{level}.weight", f"model.22.cv.{level}.bias"],
               f"{at}/conv/Conv_output_0", kernel_shape=[stride] * 2, strides=[stride] * 2)
    shape = const(f"{at}/Constant_output_0", [1, 4 + NUM_CLASSES, rows * cols], np.int64)
    parts.append(add("Reshape", [conv, shape], f"{at}/Reshape_output_0"))

grid, scale = [], []
for stride in CFG["strides"]:
    y, x = np.mgrid[: HEIGHT // stride, : WIDTH // stride]
    grid.append(np.stack([x.ravel(), y.ravel()]) * stride)
    scale.append(np.full((1, x.size), stride))
merged = add("Concat", parts, "/model.22/Concat_output_0", axis=2)
activated = add("Sigmoid", [merged], "/model.22/Sigmoid_output_0")
sizes = const("/model.22/Constant_1_output_0", [2, 2, NUM_CLASSES], np.int64)
xy, wh, cls = "/model.22/Split_output_0", "/model.22/Split_output_1", "/model.22/Split_output_2"
nodes.append(helper.make_node("Split", [activated, sizes], [xy, wh, cls], name="/model.22/Split", axis=1))
strides = const("/model.22/Constant_2_output_0", np.concatenate(scale, axis=1)[None])
corner = const("/model.22/Constant_3_output_0", np.concatenate(grid, axis=1)[None])
widths = const("/model.22/Constant_4_output_0", np.concatenate(scale, axis=1)[None] * 3.0)
centre = add("Add", [add("Mul", [xy, strides], "/model.22/Mul_output_0"), corner], "/model.22/Add_output_0")
size = add("Mul", [wh, widths], "/model.22/Mul_1_output_0")
nodes.append(helper.make_node("Concat", [centre, size, cls], ["output0"], name="/model.22/Concat_3", axis=1))

anchors = sum((HEIGHT // s) * (WIDTH // s) for s in CFG["strides"])
graph = helper.make_graph(
    nodes, "main_graph",
    [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
    [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 4 + NUM_CLASSES, anchors])],
    [numpy_helper.from_array(array, name) for name, array in weights.items()],
)
model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
path = os.path.join(ROOT, CFG["model"])
os.makedirs(os.path.dirname(path), exist_ok=True)
onnx.save(model, path)
