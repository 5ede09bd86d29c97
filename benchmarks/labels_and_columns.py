"""Wrong labels that are planted into real latent spaces, and columns and states with and without an effect.

Wrong labels side by side with cleanlab on the same seeds, where a Python with cleanlab is named by CLEANLAB_PYTHON.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Figure, watch
from benchmarks.runs import CIFAR10, MNIST, evaluated
from leaplab.analysis.correlation import correlations
from leaplab.analysis.differences import Values
from leaplab.analysis.mislabeled import label_scores
from leaplab.analysis.overfitting import gaps
from leaplab.analysis.shortcuts import shortcuts
from leaplab.population.population import open_population
from leaplab.population.samples import choose

CLEANLAB = "CLEANLAB_PYTHON"
NOISE = 0.08
"""Share of the labels that are planted wrong."""
FIRST = 100
LABEL_SEEDS = 5
PLANTED_SEEDS = 10
NULL_SEEDS = 20
ACCEPTED = {("cifar10", "symmetric"): 0.89, ("cifar10", "pairs"): 0.84, ("mnist", "symmetric"): 0.99}
"""The least average precision."""
STATES = {"cifar10": (CIFAR10, "test"), "mnist": (MNIST, "validation")}
"""Which state of which run is looked at."""


def run() -> list[Figure]:
    """Wrong labels on the runs of the two classifiers; planted and permuted columns, states and classes."""
    figures: list[Figure] = []
    for name, (run_name, state) in STATES.items():
        samples = choose(open_population(evaluated(run_name))).samples
        assert samples.space is not None
        assert samples.labels is not None
        rows = np.flatnonzero(samples.in_state(state)[samples.space.rows])
        vectors, labels = samples.space.vectors[rows], samples.labels.codes[samples.space.rows[rows]]
        for noise in ("symmetric", "pairs"):
            figures += _wrong_labels(name, noise, vectors, labels)
    whole = watch(["-c", WHOLE])
    figures += [
        Figure("labels of 70,000 x 128, ten classes", float(whole.output.split()[-1]), "s", 20),
        Figure("its peak memory", whole.peak_bytes / 2**30, "GiB"),
    ]
    for name, found in (("correlated", _correlated), ("shortcut", _shortcut), ("overfitting", _overfitting)):
        missed = sum(not found(seed, True) for seed in range(PLANTED_SEEDS))
        alarms = sum(found(seed, False) for seed in range(NULL_SEEDS))
        figures += [
            Figure(f"{name}: planted cases missed of {PLANTED_SEEDS}", missed, "", 2),
            Figure(f"{name}: reports in {NULL_SEEDS} permuted data sets", alarms, "", 2),
        ]
    return [*figures, _seconds("correlations", _many_correlations), _seconds("shortcuts", _many_shortcuts)]


def _wrong_labels(name: str, noise: str, vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> list[Figure]:
    from sklearn.metrics import average_precision_score

    planted = [_planted(labels, noise, seed) for seed in range(LABEL_SEEDS)]
    scored = {"leaplab": [label_scores(vectors, given).scores for given, _ in planted]}
    scored |= _cleanlab(vectors, [given for given, _ in planted])
    figures = []
    for method, scores in scored.items():
        precisions = [average_precision_score(wrong, each) for each, (_, wrong) in zip(scores, planted, strict=True)]
        first = [wrong[np.argsort(-each)[:FIRST]].mean() for each, (_, wrong) in zip(scores, planted, strict=True)]
        accepted = ACCEPTED.get((name, noise)) if method == "leaplab" else None
        figures += [
            Figure(f"{name}, {noise}, {method}: 1 - average precision", 1 - float(np.mean(precisions)), "",
                   None if accepted is None else 1 - accepted),
            Figure(f"{name}, {noise}, {method}: right labels among the first {FIRST}, share", 1 - float(np.mean(first)),
                   "", 0.1 if method == "leaplab" else None),
        ]  # fmt: skip
    return figures


def _planted(labels: NDArray[np.int64], noise: str, seed: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    generator = np.random.default_rng(seed)
    wrong = np.zeros(len(labels), np.bool_)
    wrong[generator.permutation(len(labels))[: int(NOISE * len(labels))]] = True
    classes = int(labels.max()) + 1
    steps = generator.integers(1, classes, wrong.sum()) if noise == "symmetric" else 1
    given = labels.copy()
    given[wrong] = (labels[wrong] + steps) % classes
    return given, wrong


def _cleanlab(
    vectors: NDArray[np.float32], labellings: list[NDArray[np.int64]]
) -> dict[str, list[NDArray[np.float64]]]:
    python = os.environ.get(CLEANLAB)
    if not python:
        print(f"cleanlab is not compared: name a Python that has it by {CLEANLAB}.")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        given, scores = Path(folder) / "given.npz", Path(folder) / "scores.npz"
        np.savez(given, vectors=vectors, labels=np.stack(labellings))
        subprocess.run([python, "-c", BY_CLEANLAB, str(given), str(scores)], check=True)
        with np.load(scores) as read:
            return {f"cleanlab {method}": list(read[method]) for method in read.files}


def _correlated(seed: int, planted: bool) -> bool:
    generator = np.random.default_rng(seed)
    columns = {f"n{place}": Values(generator.normal(size=500)) for place in range(25)}
    columns |= {
        f"k{place}": Values(generator.integers(0, 6, 500).astype(np.float64), list("abcdef")) for place in range(25)
    }
    score = generator.exponential(size=500) + (0.5 if planted else 0.0) * columns["n3"].numbers
    found = [each.column for each in correlations(columns, score)]
    return found == ["n3"] if planted else bool(found)


def _shortcut(seed: int, planted: bool) -> bool:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 5, 500)
    columns = {f"n{place}": Values(generator.normal(size=500)) for place in range(20)}
    moved = 4.0 * labels.astype(np.float64) if planted else np.zeros(500)
    columns["planted"] = Values(generator.normal(size=500) + moved)
    found = [each.column for each in shortcuts(columns, labels)]
    return found == ["planted"] if planted else bool(found)


def _overfitting(seed: int, planted: bool) -> bool:
    generator = np.random.default_rng(seed)
    held_out = generator.random(2000) < 0.3
    loss = generator.lognormal(size=2000)
    codes = [generator.integers(0, kinds, 2000) for kinds in (4, 10, 10)]
    groups = [np.flatnonzero(each == code) for each in codes for code in range(each.max() + 1)]
    if planted:
        inside = np.isin(np.arange(2000), groups[7])
        loss[inside & ~held_out] *= 0.1
    found = [each.group for each in gaps(loss, held_out, groups)]
    return 7 in found and set(found) <= {-1, 7} if planted else bool(found)


def _seconds(name: str, compute: Callable[[], object]) -> Figure:
    started = time.perf_counter()
    compute()
    return Figure(f"{name} of 100,000 rows and 50 columns", time.perf_counter() - started, "s", 30)


def _many() -> tuple[dict[str, Values], NDArray[np.int64]]:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, 100_000)
    columns = {f"n{place}": Values(generator.normal(size=100_000) + (place < 3) * labels) for place in range(50)}
    return columns, labels


def _many_correlations() -> object:
    columns, labels = _many()
    return correlations(columns, labels + np.random.default_rng(1).normal(size=100_000))


def _many_shortcuts() -> object:
    columns, labels = _many()
    return shortcuts(columns | {"told": Values(labels + np.random.default_rng(1).random(100_000))}, labels)


WHOLE = """
import time
import numpy as np
from leaplab.analysis.mislabeled import label_scores

generator = np.random.default_rng(0)
labels = generator.integers(0, 10, 70_000)
vectors = (3 * generator.normal(size=(10, 128))[labels] / 4 + generator.normal(size=(70_000, 128))).astype(np.float32)
started = time.process_time()
label_scores(vectors, labels)
print(time.process_time() - started)
"""
BY_CLEANLAB = """
import sys
import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

given = np.load(sys.argv[1])
standard = StandardScaler().fit_transform(given["vectors"].astype(float))
methods = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
scores = {method: [] for method in methods}
for labels in given["labels"]:
    model = LogisticRegression(C=0.01, max_iter=1000)
    probabilities = cross_val_predict(model, standard, labels, cv=5, method="predict_proba")
    for method in methods:
        scores[method].append(-get_label_quality_scores(labels, probabilities, method=method))
np.savez(sys.argv[2], **{method: np.stack(each) for method, each in scores.items()})
"""
