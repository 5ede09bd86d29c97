"""A million samples of a synthetic integration: what `leaplab evaluate` adds to the integration's own code and its
inference, per sample, and the memory that it takes for ten times as many samples.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.measuring import Figure, watch

SIZES = (100_000, 1_000_000)
COLUMNS = 8
"""One of metadata, one loss, a metric, and five properties of an input that is no image."""
BINDER = """
from pathlib import Path
import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, MetricDirection
from code_loader.inner_leap_binder.leapbinder_decorators import *

COUNT = {count}
VALUES = np.random.default_rng(0).normal(size=(COUNT, 4)).astype(np.float32)

@tensorleap_preprocess()
def preprocess():
    half = COUNT // 2
    return [
        PreprocessResponse(sample_ids=list(range(half)), sample_id_type=int, data=VALUES[:half],
                           state=DataStateType.training),
        PreprocessResponse(sample_ids=list(range(half)), sample_id_type=int, data=VALUES[half:],
                           state=DataStateType.validation),
    ]

@tensorleap_input_encoder("vector", channel_dim=-1)
def vector(sample_id, response):
    return response.data[sample_id]

@tensorleap_gt_encoder("truth")
def truth(sample_id, response):
    return response.data[sample_id][:2]

@tensorleap_metadata("remainder", DatasetMetadataType.int)
def remainder(sample_id, response):
    return sample_id % 10

@tensorleap_custom_loss("squares")
def squares(gt, guess):
    return ((gt - guess) ** 2).sum(axis=1)

@tensorleap_custom_metric("first", direction=MetricDirection.Upward)
def first(guess):
    return guess[:, 0]

@tensorleap_load_model([PredictionTypeHandler(name="pair", labels=["a", "b"], channel_dim=-1)])
def load_model():
    import onnxruntime
    return onnxruntime.InferenceSession(str(Path(__file__).parent / "pair.onnx"))

@tensorleap_integration_test()
def integration_test(sample_id, response):
    model = load_model()
    given = vector(sample_id, response)
    guess = model.run(None, {{model.get_inputs()[0].name: given}})[0]
    squares(truth(sample_id, response), guess)
    first(guess)
    remainder(sample_id, response)
"""
ALONE = """
import json, sys, time
sys.path.insert(0, ".")
import numpy as np
import onnxruntime
import leap_binder as binder
from code_loader.inner_leap_binder import global_leap_binder

responses = binder.preprocess()
setup = global_leap_binder.setup_container
encoders = [h.function for h in (*setup.inputs, *setup.ground_truths, *setup.metadata)]
session = onnxruntime.InferenceSession("pair.onnx")
started = time.perf_counter()
for response in responses:
    ids = response.sample_ids
    for start in range(0, len(ids), 32):
        rows = [[encode(sample_id, response) for encode in encoders] for sample_id in ids[start:start + 32]]
        given, gt = np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])
        guess = session.run(None, {"vector": given})[0]
        binder.squares(gt, guess)
        binder.first(guess)
print(json.dumps({"seconds": time.perf_counter() - started}))
"""


def run() -> list[Figure]:
    """Of a million samples, and of a tenth of them for the memory."""
    walls, peaks, alone = [], [], 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for count in SIZES:
            root = Path(scratch) / str(count)
            _write(root, count)
            evaluated = watch(["-m", "leaplab", "evaluate", str(root), "--runs", str(root / "runs")])
            walls.append(evaluated.seconds)
            peaks.append(evaluated.peak_bytes)
        alone = json.loads(watch(["-c", ALONE], folder=root).output.splitlines()[-1])["seconds"]
    # What happens once, such as binding, is in both.
    added = (walls[1] - walls[0]) / (SIZES[1] - SIZES[0]) - alone / SIZES[1]
    print(f"evaluate {walls[1]:.0f} s, its handlers and inference alone {alone:.0f} s")
    return [
        Figure("added to a sample of 8 columns by leaplab evaluate", added * 1e6, "us", 20 + 5 * COLUMNS),
        Figure("peak memory of evaluating 1,000,000 samples", peaks[1] / 2**30, "GiB"),
        Figure("beyond that of 100,000 samples", (peaks[1] - peaks[0]) / 2**30, "GiB", 1.0),
    ]


def _write(root: Path, count: int) -> None:
    root.mkdir()
    (root / "leap.yaml").write_text("entryFile: leap_binder.py\n")
    (root / "leap_binder.py").write_text(BINDER.format(count=count))
    weights = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    given = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", 4])
    result = helper.make_tensor_value_info("pair", TensorProto.FLOAT, ["batch", 2])
    node = helper.make_node("MatMul", ["vector", "weights"], ["pair"])
    graph = helper.make_graph([node], "pair", [given], [result], [numpy_helper.from_array(weights, "weights")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), root / "pair.onnx")
