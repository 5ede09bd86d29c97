"""Frames of yolov7_foresight from their files to the model's input, against bare OpenCV in the same process."""

import json
import tempfile
from pathlib import Path

from benchmarks.measuring import Figure, watch
from data_access.root import data_root

FRAMES = 200
REPEATS = 7
SCRIPT = """
import json, sys, time
import cv2
import numpy as np
from tasks.detection import encoders
from yolov7_foresight.config import load_config
from yolov7_foresight.data.preprocess import load_population

frames_asked, repeats = int(sys.argv[1]), int(sys.argv[2])
config = load_config()
size = config.input
frames = load_population(config, "foresight", "train")
ids = frames.ids[:frames_asked]

def bare():
    for sample_id in ids:
        image = cv2.resize(cv2.imread(str(frames.path(sample_id))), (size.width, size.height))
        image.astype(np.float32) / 255

def ours():
    for sample_id in ids:
        encoders.image(frames.image(sample_id), size.height, size.width, size.layout)

def clock(function):
    started = time.perf_counter()
    function()
    return (time.perf_counter() - started) / len(ids)

clock(bare), clock(ours)
pairs = [(clock(ours), clock(bare)) for _ in range(repeats)]
print(json.dumps({"frames": len(ids), "ours": min(p[0] for p in pairs), "bare": min(p[1] for p in pairs),
                  "ratio": sorted(a / b for a, b in pairs)[repeats // 2]}))
"""
GENERATE = """
import sys
from pathlib import Path
from msgspec.structs import replace
from yolov7_foresight.config import load_config
from yolov7_foresight.generate import write_population

config = load_config()
foresight = replace(config.populations["foresight"], parts={"train": int(sys.argv[2]), "val": 1})
write_population("foresight", Path(sys.argv[1]), replace(config, populations={"foresight": foresight}))
"""


def run() -> list[Figure]:
    """Frames of the data root, or generated ones where there are none; the two sides alternate."""
    with tempfile.TemporaryDirectory() as scratch:
        root, kind = data_root(), "frames"
        if not (root / "foresight").is_dir():
            root, kind = Path(scratch), "generated frames"
            watch(["-c", GENERATE, scratch, str(FRAMES)])
        environment = {"LEAP_DATA_ROOT": str(root)}
        measured = json.loads(watch(["-c", SCRIPT, str(FRAMES), str(REPEATS)], environment).output.splitlines()[-1])
    title = f"{measured['frames']} {kind} to the model's input"
    return [
        Figure(f"{title}, of one", 1000 * measured["ours"], "ms"),
        Figure("bare imread, resize and division, of one", 1000 * measured["bare"], "ms"),
        # 1 / 0.9: nine tenths of the throughput of the bare calls.
        Figure(f"time, ours to bare (the middle one of {REPEATS})", measured["ratio"], "x", 1.11),
    ]
