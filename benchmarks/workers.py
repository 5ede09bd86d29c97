"""`leaplab evaluate` by one worker and by two: of integrations that encoding holds up, and of MNIST."""

import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.measuring import Figure, watch

REPEATS = 3
SAMPLES = 40_000
"""Of the synthetic integrations."""
ENCODE_S = 0.001
"""What their encoder takes for a sample."""
FEW = 2_000
"""Samples a state of the small evaluation, which must not be slower than it was with one worker."""
BINDER = """
import time
from pathlib import Path
import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import *

VALUES = np.random.default_rng(0).normal(size=({samples}, 4)).astype(np.float32)


@tensorleap_preprocess()
def preprocess():
    ids = list(range({samples}))
    return [
        PreprocessResponse(sample_ids=ids, sample_id_type=int, data=VALUES, state=DataStateType.training),
        PreprocessResponse(sample_ids=ids[:1], sample_id_type=int, data=VALUES, state=DataStateType.validation),
    ]


@tensorleap_input_encoder("vector", channel_dim=-1)
def vector(sample_id, response):
    {encode}
    return response.data[sample_id]


@tensorleap_gt_encoder("truth")
def truth(sample_id, response):
    return response.data[sample_id][:2]


@tensorleap_custom_loss("squares")
def squares(gt, guess):
    return ((gt - guess) ** 2).sum(axis=1)


@tensorleap_load_model([PredictionTypeHandler(name="pair", labels=["a", "b"], channel_dim=-1)])
def load_model():
    import onnxruntime
    return onnxruntime.InferenceSession(str(Path(__file__).parent / "pair.onnx"))


@tensorleap_integration_test()
def integration_test(sample_id, response):
    model = load_model()
    guess = model.run(None, {{model.get_inputs()[0].name: vector(sample_id, response)}})[0]
    squares(truth(sample_id, response), guess)
"""
ENCODERS = {
    "computes": f"end = time.thread_time() + {ENCODE_S}\n    while time.thread_time() < end: pass",
    "waits": f"time.sleep({ENCODE_S})",
}
"""What holds its encoder up: it needs a core for itself, or waits, say for a disk, and needs none."""


def run() -> list[Figure]:
    """In turns; of each the middle one of three ratios, taken within a turn."""
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, encode in ENCODERS.items():
            root = Path(scratch) / name
            _write(root, encode)
            figures += _compared(f"an encoder that {name}, {SAMPLES:,} samples", [str(root)], {}, 1.7)
    mnist = {"LEAP_EXAMPLE": "mnist"}
    figures += _compared("MNIST", ["."], mnist)
    figures += _compared(f"MNIST --limit {FEW:,}", [".", "--limit", str(FEW)], mnist)
    return figures


def _compared(
    what: str, arguments: list[str], environment: dict[str, str], wanted: float | None = None
) -> list[Figure]:
    walls: dict[str, list[float]] = {"1": [], "2": [], "": []}
    for _ in range(REPEATS):
        for workers, measured in walls.items():
            with tempfile.TemporaryDirectory() as runs:
                given = ["--workers", workers] if workers else []
                command = ["-m", "leaplab", "evaluate", *arguments, "--runs", runs, "--json", *given]
                measured.append(watch(command, environment).seconds)
                (run,) = (path for path in Path(runs).iterdir() if path.is_dir())
                assert json.loads((run / "manifest.json").read_text())["states"]
    print(what, {workers: [round(each, 2) for each in measured] for workers, measured in walls.items()})
    faster = statistics.median([one / two for one, two in zip(walls["1"], walls["2"], strict=True)])
    chosen = statistics.median([by_default / one for one, by_default in zip(walls["1"], walls[""], strict=True)])
    # A bound is kept by what is below it: of the time, two workers may take 1 / 1.7.
    return [
        Figure(f"{what}: one worker", min(walls["1"]), "s"),
        Figure(f"{what}: two workers", min(walls["2"]), "s"),
        Figure(f"{what}: two, of one's time", 1 / faster, "x", None if wanted is None else 1 / wanted),
        Figure(f"{what}: by default, of one's time", chosen, "x", 1.1),
    ]


def _write(root: Path, encode: str) -> None:
    root.mkdir()
    (root / "leap.yaml").write_text("entryFile: leap_binder.py\n")
    (root / "leap_binder.py").write_text(BINDER.format(samples=SAMPLES, encode=encode))
    weights = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    given = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", 4])
    result = helper.make_tensor_value_info("pair", TensorProto.FLOAT, ["batch", 2])
    node = helper.make_node("MatMul", ["vector", "weights"], ["pair"])
    graph = helper.make_graph([node], "pair", [given], [result], [numpy_helper.from_array(weights, "weights")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), root / "pair.onnx")
