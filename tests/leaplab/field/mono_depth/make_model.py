import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from depth.rooms import SETTINGS

rng = np.random.default_rng(12)
w = {
    "encoder.weight": (rng.normal(0, 0.05, (8, 3, 4, 4)) + 1 / 48).astype(np.float32),
    "encoder.bias": rng.uniform(0, 0.1, 8).astype(np.float32),
    "decoder.weight": np.full((8, 1, 4, 4), -1.1, np.float32),
    "decoder.bias": np.array([9.8], np.float32),
    "low": np.array(0.1, np.float32),
    "high": np.array(SETTINGS.max_depth, np.float32),
}
graph = helper.make_graph(
    [
        helper.make_node("Transpose", ["rgb"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "encoder.weight", "encoder.bias"], ["encoded"], strides=[4, 4], name="encoder"),
        helper.make_node("Relu", ["encoded"], ["bottleneck"]),
        helper.make_node("ConvTranspose", ["bottleneck", "decoder.weight", "decoder.bias"], ["decoded"],
                         strides=[4, 4], name="decoder"),
        helper.make_node("Clip", ["decoded", "low", "high"], ["metres"]),
        helper.make_node("Transpose", ["metres"], ["depth"], perm=[0, 2, 3, 1]),
    ],
    "depth_net",
    [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, ["n", SETTINGS.height, SETTINGS.width, 3])],
    [helper.make_tensor_value_info("depth", TensorProto.FLOAT, ["n", SETTINGS.height, SETTINGS.width, 1])],
    [numpy_helper.from_array(v, k) for k, v in w.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "depth/net.onnx")
