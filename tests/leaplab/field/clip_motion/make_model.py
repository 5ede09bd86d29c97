"""Writes exported/motion.onnx: frame differences, a spatio-temporal convolution, and a classifier."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from src.motion.settings import directionNames, frameHeight, frameWidth, modelFile, numFrames

rng = np.random.default_rng(6)
tensors = {
    "conv3d.weight": rng.normal(0, 0.5, (8, 3, 2, 3, 3)).astype(np.float32),
    "conv3d.bias": np.zeros(8, np.float32),
    "fc.weight": rng.normal(0, 1.0, (8, len(directionNames))).astype(np.float32),
    "fc.bias": np.zeros(len(directionNames), np.float32),
}
nodes = [
    helper.make_node("Transpose", ["video"], ["ncthw"], perm=[0, 4, 1, 2, 3]),
    helper.make_node("Conv", ["ncthw", "conv3d.weight", "conv3d.bias"], ["maps"], name="conv3d"),
    helper.make_node("Relu", ["maps"], ["active"]),
    helper.make_node("ReduceMean", ["active"], ["pooled"], axes=[2, 3, 4], keepdims=0),
    helper.make_node("Gemm", ["pooled", "fc.weight", "fc.bias"], ["scores"]),
    helper.make_node("Softmax", ["scores"], ["direction"], axis=1),
]
model = helper.make_model(
    helper.make_graph(
        nodes, "motion",
        [helper.make_tensor_value_info("video", TensorProto.FLOAT, ["b", numFrames, frameHeight, frameWidth, 3])],
        [helper.make_tensor_value_info("direction", TensorProto.FLOAT, ["b", len(directionNames)])],
        [numpy_helper.from_array(value, key) for key, value in tensors.items()],
    ),
    opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
)
modelFile.parent.mkdir(exist_ok=True)
onnx.save(model, str(modelFile))
