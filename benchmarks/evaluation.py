"""`leaplab evaluate` of three examples against the parts that it cannot do without.

Those are reading, the integration's own functions in a bare loop, inference on ready arrays, and scoring. Each is
measured by its processor time on one thread, so that their sum, shared by the cores, is a time that no evaluation can
beat: the limit. The cores are taken to share all of it evenly, so the limit for four cores is half of that for two.
"""

import json
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.measuring import ONE_THREAD, Figure, watch

REPEATS = 3
STARTED = 1.5
"""Seconds from the command to the first batch, at most."""
OF_LIMIT = 1.15
PARTS = """
import json, os, sys, time
import numpy as np
import onnxruntime
from leaplab.protocol.binding import BindOrder
from leaplab.worker.integration import Integration
from leaplab.worker.samples import sample_ids_by_state

THREADS, BATCH = int(sys.argv[1]), 32
integration = Integration(BindOrder(os.getcwd(), "leap_binder.py"))
description = integration.description  # tells which array goes to which argument, and how many instances there are
setup = integration.code_loader.handlers
spent = dict.fromkeys(("reading", "handlers", "inference", "scoring"), 0.0)
clock = time.process_time if THREADS == 1 else time.perf_counter

def clocked(part, function):
    started = clock()
    result = function()
    spent[part] += clock() - started
    return result

def encoded(sample_id, response, state):
    gts = {} if state == "unlabeled" else {h.name: h.function(sample_id, response) for h in setup.ground_truths}
    for handler in metadata:
        handler.function(sample_id, response)
    for number in range(integration.instance_count(state, sample_id)):
        setup.instance_masks[0].function(sample_id, response, number)
    return {h.name: h.function(sample_id, response) for h in setup.inputs}, gts

def argument(source, inputs, gts, outputs):
    return outputs[source.index] if source.kind == "prediction" else {**inputs, **gts}[source.name]

def run(nodes, inputs, gts, outputs):
    for node in nodes:
        sources = node.arguments.items()
        if not any(source.kind == "ground_truth" and source.name not in gts for _, source in sources):
            functions[node.handler](**{name: argument(source, inputs, gts, outputs) for name, source in sources})

responses = {each.state.name: each for each in clocked("reading", setup.preprocess.function)}
metadata = [each for each in setup.metadata if not each.name.startswith("builtin_instance")]
functions = {each.custom_loss_handler_data.name: each.function for each in setup.custom_loss_handlers}
functions.update({each.metric_handler_data.name: each.function for each in setup.metrics})
model = integration.model
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = THREADS
session = onnxruntime.InferenceSession(str(getattr(model, "_model_path", model)), options)
names = [each.name for each in session.get_inputs()]
samples = 0
for state, ids in sample_ids_by_state(integration.code_loader).items():  # those of instances are none of samples
    response = responses[state]
    samples += len(ids)
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        rows = clocked("handlers", lambda: [encoded(sample_id, response, state) for sample_id in some])
        inputs, gts = ({name: np.stack([row[k][name] for row in rows]) for name in rows[0][k]} for k in (0, 1))
        feed = {name: inputs[given] for name, given in zip(names, description.model_inputs)}
        outputs = clocked("inference", lambda: session.run(None, feed))
        clocked("scoring", lambda: run((*description.losses, *description.metrics), inputs, gts, outputs))
print(json.dumps({"samples": samples, **spent}))
"""


EXAMPLES = {"mnist": REPEATS, "cifar10_resnet": 1, "armbench_segmentation": 1}
"""Example -> how often it is evaluated: a long evaluation varies less."""


def run() -> list[Figure]:
    """In turns, so that a busy moment hits both sides; of each the middle one."""
    return [figure for example, repeats in EXAMPLES.items() for figure in _figures(example, repeats)]


def _figures(example: str, repeats: int) -> list[Figure]:
    environment = {"LEAP_EXAMPLE": example}
    cores = len(os.sched_getaffinity(0))
    limits, ratios, old, walls, starts, pairs, peaks = [], [], [], [], [], [], []
    samples = 0
    _evaluated(environment, "--limit", "1")  # what is compiled once, and read from disk
    for _ in range(repeats):
        start, _ = _evaluated(environment, "--limit", "1", "--workers", "1")
        pair, _ = _evaluated(environment, "--limit", "1", "--workers", "2")
        wall, peak = _evaluated(environment)
        spent = json.loads(watch(["-c", PARTS, "1"], {**environment, **ONE_THREAD}).output.splitlines()[-1])
        samples = spent.pop("samples")
        limit = sum(spent.values()) / cores
        starts.append(start)
        pairs.append(pair)
        walls.append(wall)
        peaks.append(peak)
        limits.append(limit)
        ratios.append((wall - start) / limit)
        if repeats > 1:
            parts = json.loads(watch(["-c", PARTS, "0"], environment).output.splitlines()[-1])
            parts.pop("samples")
            old.append(wall / sum(parts.values()))
        told = ", ".join(f"{part} {seconds:.2f}" for part, seconds in spent.items())
        print(f"{example}: {wall:.2f} s, start {start:.2f} s ({pair:.2f} with two); one thread: {told} s")
    what = f"evaluate {example}, {samples:,} samples"
    figures = [
        Figure(f"{what}: start to end", min(walls), "s"),
        Figure(f"{what}: the limit on {cores} cores", statistics.median(limits), "s"),
        Figure(f"{what}: beyond its start, of the limit", statistics.median(ratios), "x", OF_LIMIT),
        Figure(f"{what}: an evaluation of one sample a state", statistics.median(starts), "s", STARTED),
        Figure(f"{what}: the same with two workers", statistics.median(pairs), "s", STARTED),
        Figure(f"{what}: peak memory", max(peaks) / 2**30, "GiB", 2.5),
    ]
    if old:
        figures.append(Figure(f"{what}: of the sum of its parts, each on all cores", statistics.median(old), "x", 1.3))
    return figures


def _evaluated(environment: dict[str, str], *options: str) -> tuple[float, int]:
    """Seconds and peak memory of an evaluation."""
    with tempfile.TemporaryDirectory() as runs:
        found = watch(["-m", "leaplab", "evaluate", "--runs", runs, *options], environment)
        assert any(path.is_dir() for path in Path(runs).iterdir())
    return found.seconds, found.peak_bytes
