import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from weld.parts import DEFECTS, MODEL_FILE

rng = np.random.default_rng(14)
constants = {
    "w0": rng.normal(0, 0.6, (5, 1, 3, 5)), "b0": rng.normal(0, 0.1, 5),
    "w1": rng.normal(0, 1.5, (5, len(DEFECTS))), "b1": np.zeros(len(DEFECTS)),
}
nodes = [
    helper.make_node("Transpose", ["photo"], ["x0"], perm=[0, 3, 1, 2]),
    helper.make_node("Conv", ["x0", "w0", "b0"], ["x1"]),
    helper.make_node("Relu", ["x1"], ["x2"]),
    helper.make_node("GlobalMaxPool", ["x2"], ["x3"]),
    helper.make_node("Flatten", ["x3"], ["x4"]),
    helper.make_node("Gemm", ["x4", "w1", "b1"], ["x5"]),
    helper.make_node("Softmax", ["x5"], ["defect"]),
]
graph = helper.make_graph(
    nodes, "weld",
    [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["views", 12, 24, 1])],
    [helper.make_tensor_value_info("defect", TensorProto.FLOAT, ["views", len(DEFECTS)])],
    [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), MODEL_FILE)
