import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from leap_integration import HouseTable

table = HouseTable("fit", 120, seed=5)
x = np.stack([table.features(i, None) for i in table.ids])
y = np.stack([table.price(i, None) for i in table.ids])
rng = np.random.default_rng(0)
w1, b1 = rng.normal(0, 0.4, (x.shape[1], 16)), rng.normal(0, 0.4, 16)
hidden = np.maximum(x @ w1 + b1, 0)
w2 = np.linalg.solve(hidden.T @ hidden + np.eye(16), hidden.T @ y)
arrays = {"w1": w1, "b1": b1, "w2": w2, "b2": np.zeros(1)}
graph = helper.make_graph(
    [
        helper.make_node("Gemm", ["features", "w1", "b1"], ["dense_1"]),
        helper.make_node("Relu", ["dense_1"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w2", "b2"], ["price"]),
    ],
    "regressor",
    [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, x.shape[1]])],
    [helper.make_tensor_value_info("price", TensorProto.FLOAT, [None, 1])],
    [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
onnx.save(model, pathlib.Path(__file__).with_name("regressor.onnx"))
