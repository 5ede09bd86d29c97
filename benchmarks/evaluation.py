"""`leaplab evaluate` of MNIST against the parts that it cannot do without, each measured alone in the same run."""

import json
import tempfile
from pathlib import Path

from benchmarks.measuring import Figure, watch

REPEATS = 3
PARTS = """
import json, time
import numpy as np
from mnist.config import load_config
from mnist.data.preprocess import preprocess_responses
from mnist import leap_binder as binder
from code_loader.inner_leap_binder import global_leap_binder
import onnxruntime

def clock(function):
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result

config = load_config()
reading, responses = clock(lambda: preprocess_responses(config))
setup = global_leap_binder.setup_container
own = lambda handlers, names: [handler.function for handler in handlers if handler.name in names]
encoders = [h.function for h in (*setup.inputs, *setup.ground_truths, *setup.metadata)]
image, classes = setup.inputs[0].function, setup.ground_truths[0].function

def handlers():
    for response in responses:
        for sample_id in response.sample_ids:
            for encode in encoders:
                encode(sample_id, response)

encoding, _ = clock(handlers)
images = np.concatenate([np.stack([image(i, r) for i in r.sample_ids]) for r in responses])
truth = np.concatenate([np.stack([classes(i, r) for i in r.sample_ids]) for r in responses])
session = onnxruntime.InferenceSession(str(config.model_path))
name = session.get_inputs()[0].name
batches = [images[start:start + 100] for start in range(0, len(images), 100)]
inference, outputs = clock(lambda: [session.run(None, {name: batch})[0] for batch in batches])

def scores():
    for start, prediction in zip(range(0, len(images), 100), outputs):
        gt = truth[start:start + 100]
        binder.losses.categorical_cross_entropy(gt, prediction)
        binder.metrics.accuracy(gt, prediction)
        binder.metrics.confidence(prediction)
        binder.metrics.predicted_label(prediction)
        binder.metrics.confusion_matrix(gt, prediction, binder.LABELS)

scoring, _ = clock(scores)
parts = {"reading": reading, "encoding": encoding, "inference": inference, "scoring": scoring}
print(json.dumps({"samples": len(images), **parts}))
"""


def run() -> list[Figure]:
    """The best of three of each, alternating, so that a busy moment hits both sides."""
    environment = {"LEAP_EXAMPLE": "mnist"}
    ratios, walls, peaks, sums = [], [], [], []
    samples = 0
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as runs:
            evaluated = watch(["-m", "leaplab", "evaluate", "--runs", runs], environment)
            assert any(Path(runs).iterdir())
        parts = json.loads(watch(["-c", PARTS], environment).output.splitlines()[-1])
        samples = parts.pop("samples")
        walls.append(evaluated.seconds)
        peaks.append(evaluated.peak_bytes)
        sums.append(sum(parts.values()))
        ratios.append(evaluated.seconds / sum(parts.values()))
        print(f"evaluate {evaluated.seconds:.1f} s; parts " + ", ".join(f"{k} {v:.1f} s" for k, v in parts.items()))
    return [
        Figure(f"leaplab evaluate, {samples:,} samples, start to end", min(walls), "s"),
        Figure("the sum of its necessary parts", min(sums), "s"),
        Figure("ratio (the middle one of three)", sorted(ratios)[1], "x", 1.3),
        Figure("peak memory", max(peaks) / 2**30, "GiB", 2.5),
    ]
