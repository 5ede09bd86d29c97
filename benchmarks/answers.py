"""The analyses on the runs of the real data: how good their answers are, and how long a person waits for them."""

import csv
import json
import tempfile
from pathlib import Path

from benchmarks.measuring import Figure, watch
from benchmarks.runs import CIFAR10, MNIST, RUNS, evaluated, forget

AGREEMENT = {MNIST: 0.03, CIFAR10: 0.3}
"""Run -> the most that its clusters may differ from the classes: 1 less the adjusted Rand index."""
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
LABELS = """
import csv, sys
import leaplab

run = leaplab.open_run(sys.argv[1])
with open(sys.argv[2], "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["state", "sample_id", "label"])
    writer.writerows(zip(*run.read(["state", "sample_id", "metadata.label"]).values()))
"""
LARGE = """
import time
import numpy as np
from leaplab.analysis.differences import Values
from leaplab.analysis.insight.registry import KINDS, finder
from leaplab.analysis.insight.samples import Labels, Samples, Score, Space

generator, count = np.random.default_rng(0), 100_000
states = np.array(["training", "validation", "test", "unlabeled"], object)
states = states[generator.choice(4, count, p=(.6, .2, .1, .1))]
truth = generator.integers(0, 10, count)
vectors = (generator.normal(0, 1, (10, 512))[truth] + generator.normal(0, 2, (count, 512))).astype(np.float32)
columns = {f"metadata.number_{k}": Values(generator.normal(size=count)) for k in range(40)}
columns |= {
    f"metadata.kind_{k}": Values(generator.integers(0, 20, count).astype(float), [f"c{c}" for c in range(20)])
    for k in range(10)
}
loss = generator.exponential(size=count) + (columns["metadata.kind_0"].numbers == 3)
loss[states == "unlabeled"] = np.nan
labels = Labels("truth", np.where(states == "unlabeled", -1, truth), [str(k) for k in range(10)], truth)
hashes = np.array([str(row) for row in range(count)], object)
thumbnails = {"image": generator.integers(0, 256, (count, 16, 16, 3), np.uint8)}
space = Space("model", np.arange(count), vectors)
samples = Samples(states, columns, Score("loss.a", loss, loss), labels, space, hashes, thumbnails)
started = time.perf_counter()
for kind in KINDS:
    finder(kind)(samples)
print(time.perf_counter() - started)
"""


def run() -> list[Figure]:
    """Clusters of the two classifiers' runs, all insights of one, of 100,000 samples, and what is near to one."""
    figures: list[Figure] = []
    for name, bound in AGREEMENT.items():
        figures += _clusters(name, bound)
    figures += _insights()
    large = watch(["-c", LARGE])
    figures += [
        Figure("all insights of 100,000 x 512 and 50 columns", float(large.output.split()[-1]), "s", 240),
        Figure("its peak memory", large.peak_bytes / 2**30, "GiB", 3),
    ]
    times = json.loads(watch(["-c", SIMILAR]).output.splitlines()[-1])
    figures += [
        Figure(f"the 20 nearest of 100,000 x 512 by {metric}, warm", 1000 * seconds, "ms", 10)
        for metric, seconds in times.items()
    ]
    return figures


def _clusters(name: str, bound: float) -> list[Figure]:
    from sklearn.metrics import adjusted_rand_score

    path = evaluated(name)
    forget(path, "clusters")
    with tempfile.TemporaryDirectory() as folder:
        table, labels = Path(folder) / "clusters.csv", Path(folder) / "labels.csv"
        asked = watch(["-m", "leaplab", "clusters", str(path), "--json", "-o", str(table)])
        again = watch(["-m", "leaplab", "clusters", str(path), "--json"])
        watch(["-c", LABELS, str(path), str(labels)])
        rows = list(csv.DictReader(table.read_text().splitlines()))
        known = {(row["state"], row["sample_id"]): row["label"] for row in csv.DictReader(labels.open())}
    found = [row["cluster"] for row in rows]
    agreement = adjusted_rand_score([known[row["state"], row["sample_id"]] for row in rows], found)
    return [
        Figure(f"{name}: clusters, less the {CLASSES} classes", abs(len(set(found)) - CLASSES), "", 2),
        Figure(f"{name}: 1 - adjusted Rand index of clusters and classes", 1 - agreement, "", bound),
        Figure(f"{name}: leaplab clusters, {len(rows):,} samples", asked.seconds, "s"),
        Figure(f"{name}: its peak memory", asked.peak_bytes / 2**30, "GiB"),
        Figure(f"{name}: the second time", again.seconds, "s"),
    ]


def _insights() -> list[Figure]:
    from leaplab.analysis.insight.registry import KINDS

    path = evaluated(CIFAR10)
    command = ["-m", "leaplab", "insights", CIFAR10, "--runs", str(RUNS), "--json"]
    forget(path, "insights")
    first = watch([*command, "--kind", KINDS[0]])
    forget(path, "insights")
    asked, again = watch(command), watch(command)
    return [
        Figure(f"{CIFAR10}: leaplab insights, cold", asked.seconds, "s", 120),
        Figure(f"{CIFAR10}: its peak memory", asked.peak_bytes / 2**30, "GiB", 2),
        Figure(f"{CIFAR10}: the first kind of insight, {KINDS[0]}", first.seconds, "s", 10),
        Figure(f"{CIFAR10}: all insights, cached", again.seconds, "s", 1),
    ]
