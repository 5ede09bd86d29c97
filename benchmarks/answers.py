"""The analyses on the runs of the real data: how good their answers are, and how long a person waits for them."""

import csv
import json
import tempfile
from pathlib import Path

from benchmarks.measuring import Figure, watch

RUNS = {"mnist": 0.03, "cifar10_resnet": 0.3}
"""Example -> the most that its clusters may differ from the classes: 1 less the adjusted Rand index."""
CLASSES = 10
SIMILAR = """
import json, time
import numpy as np
from leaplab.analysis.neighbours import Neighbours

vectors = np.random.default_rng(0).normal(size=(100_000, 512)).astype(np.float32)
times = {}
for metric in ("cosine", "euclidean"):
    search = Neighbours(vectors, metric)
    seconds = []
    for row in range(25):
        started = time.perf_counter()
        search.nearest(vectors[row], 20)
        seconds.append(time.perf_counter() - started)
    times[metric] = sorted(seconds)[len(seconds) // 2]
print(json.dumps(times))
"""


def run() -> list[Figure]:
    """Clusters of the two classifiers' runs; the nearest of 100,000 vectors of 512 numbers."""
    from sklearn.metrics import adjusted_rand_score

    figures: list[Figure] = []
    for example, bound in RUNS.items():
        with tempfile.TemporaryDirectory() as runs:
            environment = {"LEAP_EXAMPLE": example, "LEAPLAB_RUNS": runs}
            watch(["-m", "leaplab", "evaluate"], environment)
            table, labels = Path(runs) / "clusters.csv", Path(runs) / "labels.csv"
            asked = watch(["-m", "leaplab", "clusters", "--json", "-o", str(table)], environment)
            again = watch(["-m", "leaplab", "clusters", "--json"], environment)
            watch(["-c", LABELS, runs, str(labels)])
            rows = list(csv.DictReader(table.read_text().splitlines()))
            known = {(row["state"], row["sample_id"]): row["label"] for row in csv.DictReader(labels.open())}
        found = [row["cluster"] for row in rows]
        agreement = adjusted_rand_score([known[row["state"], row["sample_id"]] for row in rows], found)
        figures += [
            Figure(f"{example}: clusters, less the {CLASSES} classes", abs(len(set(found)) - CLASSES), "", 2),
            Figure(f"{example}: 1 - adjusted Rand index of clusters and classes", 1 - agreement, "", bound),
            Figure(f"{example}: leaplab clusters, {len(rows):,} samples", asked.seconds, "s"),
            Figure(f"{example}: its peak memory", asked.peak_bytes / 2**30, "GiB"),
            Figure(f"{example}: the second time", again.seconds, "s"),
        ]
    times = json.loads(watch(["-c", SIMILAR]).output.splitlines()[-1])
    figures += [
        Figure(f"the 20 nearest of 100,000 x 512 by {metric}, warm", 1000 * seconds, "ms", 10)
        for metric, seconds in times.items()
    ]
    return figures


LABELS = """
import csv, sys
import leaplab

run = leaplab.open_run(runs=sys.argv[1])
with open(sys.argv[2], "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["state", "sample_id", "label"])
    writer.writerows(zip(*run.read(["state", "sample_id", "metadata.label"]).values()))
"""
