from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kws.dataset import KEYWORDS, Dataset
from kws.features import AudioConfig, log_mel


def main() -> None:
    config = AudioConfig()
    rng = np.random.default_rng(2)
    channels = 6
    parameters = {
        "conv.weight": rng.normal(0, 0.2, (channels, 1, 3, 3)).astype(np.float32),
        "conv.bias": rng.normal(0, 0.2, channels).astype(np.float32),
    }
    # The head is fitted to the mean spectrum by least squares.
    clips = Dataset("fit", 80, seed=77)
    spectra = np.stack([log_mel(clips[i].waveform, config).mean(axis=(1, 2)) for i in clips.ids])
    wanted = np.array([[4.0 * (clips[i].keyword == k) - 1 for k in KEYWORDS] for i in clips.ids])
    parameters["fc.weight"] = np.linalg.lstsq(spectra, wanted, rcond=None)[0].astype(np.float32)
    parameters["mix.weight"] = rng.normal(0, 0.05, (channels, len(KEYWORDS))).astype(np.float32)
    nodes = [
        helper.make_node("Transpose", ["log_mel"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "conv.weight", "conv.bias"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("MatMul", ["features", "mix.weight"], ["mixed"]),
        helper.make_node("ReduceMean", ["log_mel"], ["spectrum"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["spectrum", "fc.weight"], ["linear"]),
        helper.make_node("Add", ["linear", "mixed"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "kws",
        [helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, ["N", config.n_mels, config.frames, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(KEYWORDS)])],
        [numpy_helper.from_array(array, name) for name, array in parameters.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, Path(__file__).with_name("kws.onnx"))


if __name__ == "__main__":
    main()
