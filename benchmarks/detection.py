"""Scoring of detections: all that a binder makes of an output, and suppression beside bare OpenCV.

In processor time of one core, so that what else the machine does counts little.
"""

import json

from benchmarks.measuring import ONE_THREAD, Figure, watch

IMAGES = 1_000
REPEATS = 5

# 300 rows an image are above the threshold, around its 40 objects or astray; the 16 images of a batch differ.
SCORING = """
import json, sys, time
import cv2
import numpy as np
from tasks.detection import confusion, losses, metrics
from tasks.detection.decode import Decoding
from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from tasks.detection.ground_truth import padded
from vision.boxes import Boxes

cv2.setNumThreads(1)
images, batch, objects, above = int(sys.argv[1]), 16, 40, 300
labels = ("car", "pedestrian", "cyclist")
anchors = (((11, 11), (9, 19), (19, 17)), ((14, 31), (33, 25), (20, 46)), ((51, 35), (35, 71), (75, 53)))
grid = Grid(256, 320, (8, 16, 32), anchors)
rules = metrics.Rules(labels, Decoding(0.25, 0.6, 300), 0.5, grid.height, grid.width)
rng = np.random.default_rng(0)
truth, prediction = [], np.zeros((batch, grid.rows, 8), np.float32)
prediction[..., :2] = rng.uniform(0, (grid.width, grid.height), (batch, grid.rows, 2))
prediction[..., 2:4] = rng.uniform(4, 60, (batch, grid.rows, 2))
prediction[..., 4:] = rng.uniform(0.001, 0.2, (batch, grid.rows, 4))
for number in range(batch):
    centres = rng.uniform((20, 20), (grid.width - 20, grid.height - 20), (objects, 2))
    boxes = np.concatenate([centres, rng.uniform(8, 40, (objects, 2))], axis=1)
    classes = rng.integers(0, 3, objects)
    truth.append(padded(Objects(Boxes.from_centre_and_size(boxes).edges, classes), objects, grid.height, grid.width))
    rows = rng.choice(grid.rows, above, replace=False)
    near = rng.integers(0, objects, above)
    jitter = rng.uniform(-0.1, 0.1, (above, 4)) * np.tile(boxes[near, 2:], 2)
    prediction[number, rows, :4] = boxes[near] + jitter
    prediction[number, rows, 4] = rng.uniform(0.6, 1, above)
    prediction[number, rows, 5 + classes[near]] = rng.uniform(0.6, 1, above)
truth = np.stack(truth).astype(np.float16)  # as the platform hands them over
prediction = prediction.astype(np.float16)
confident = (prediction[..., 4] * prediction[..., 5:].max(axis=-1)) >= 0.25
assert (confident.sum(axis=1) == above).all()

tasks = {
    "losses": lambda: losses.detection_losses(truth, prediction, grid, len(labels)),
    "scores": lambda: metrics.detection_scores(truth, prediction, rules),
    "counts": lambda: metrics.class_counts(prediction, rules),
    "confidence": lambda: metrics.highest_confidence(prediction, rules),
    "confusion": lambda: confusion.confusion_elements(truth, prediction, rules),
}
[task() for task in tasks.values()]
spent = dict.fromkeys(tasks, 0.0)
rounds = -(-images // batch)
for _ in range(rounds):
    for name, task in tasks.items():
        started = time.process_time()
        task()
        spent[name] += time.process_time() - started
print(json.dumps({name: 1000 * seconds / (rounds * batch) for name, seconds in spent.items()}))
"""

SUPPRESSION = """
import json, sys, time
import cv2
import numpy as np
from tasks.detection.detections import Detections
from tasks.detection.suppression import suppress

cv2.setNumThreads(1)
boxes, repeats = 10_000, int(sys.argv[1])
rng = np.random.default_rng(0)
corners, sizes = rng.uniform(0, 600, (boxes, 2)), rng.uniform(10, 60, (boxes, 2))
classes, scores = rng.integers(0, 3, boxes), rng.uniform(0.25, 1, boxes)
found = Detections(np.concatenate([corners, corners + sizes], axis=1), classes, scores)
corner_and_size = np.concatenate([corners, sizes], axis=1)
single, labels = scores.astype(np.float32), classes.astype(np.int32)

def clock(function):
    started = time.process_time()
    kept = function()
    return time.process_time() - started, sorted(np.asarray(kept).tolist())

ours, bare = lambda: suppress(found, 0.6), lambda: cv2.dnn.NMSBoxesBatched(corner_and_size, single, labels, 0.0, 0.6)
assert clock(ours)[1] == clock(bare)[1]
pairs = [(clock(ours)[0], clock(bare)[0]) for _ in range(repeats)]
print(json.dumps({"ours": min(p[0] for p in pairs), "bare": min(p[1] for p in pairs),
                  "ratio": sorted(a / b for a, b in pairs)[repeats // 2]}))
"""


def run() -> list[Figure]:
    """Scoring of all images, each part by itself; the middle one of five pairs of suppressions."""
    parts = json.loads(watch(["-c", SCORING, str(IMAGES)], ONE_THREAD).output.splitlines()[-1])
    print("scoring an image: " + ", ".join(f"{name} {value:.2f} ms" for name, value in parts.items()))
    pair = json.loads(watch(["-c", SUPPRESSION, str(REPEATS)], ONE_THREAD).output.splitlines()[-1])
    return [
        Figure(f"all losses and metrics of one of {IMAGES:,} images, 300 detections", sum(parts.values()), "ms", 4),
        Figure("suppression of 10,000 boxes", 1000 * pair["ours"], "ms"),
        Figure("bare cv2.dnn.NMSBoxesBatched of them", 1000 * pair["bare"], "ms"),
        Figure(f"time, ours to bare (the middle one of {REPEATS})", pair["ratio"], "x", 1.1),
    ]
