"""The map of 70,000 digits beside that of the package pacmap, of UMAP and of openTSNE, and a map of a million."""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Figure, watch
from benchmarks.runs import MNIST, evaluated
from leaplab.analysis.projection import project
from leaplab.population.population import Population
from leaplab.population.samples import choose
from leaplab.store.run import RunStore

PYTHON = "MAPS_PYTHON"
"""Names a Python that has umap-learn and openTSNE."""
REPEATS = 3
MILLION = 1_000_000
NEIGHBOURS, ASKED, VOTES, CLASSED = 15, 1_500, 10, 20_000
"""Neighbours and points that trustworthiness is measured on; neighbours that vote on a class, and points voted on."""
OURS = """
from leaplab.analysis.projection import project
places = project(vectors, method)
"""
PACKAGE = """
os.environ["NUMBA_THREADING_LAYER"] = "workqueue"  # as leaplab ran it; others wait busily where cores are few
import pacmap
from sklearn.decomposition import PCA
reduced = PCA(50, svd_solver="covariance_eigh").fit_transform(vectors.astype(np.float64)).astype(np.float32)
places = pacmap.PaCMAP(n_neighbors=10, random_state=0, apply_pca=False).fit_transform(reduced, init="pca")
"""
UMAP = """
import umap
from sklearn.decomposition import PCA
places = umap.UMAP(random_state=0).fit_transform(PCA(50, random_state=0).fit_transform(vectors))
"""
OPEN_TSNE = """
import openTSNE
from sklearn.decomposition import PCA
places = openTSNE.TSNE(random_state=0, n_jobs=os.cpu_count()).fit(PCA(50, random_state=0).fit_transform(vectors))
"""
DRAW = """
import json, os, sys, time, warnings
started = time.perf_counter(), time.process_time()
warnings.simplefilter("ignore")
import numpy as np
method, source, target = sys.argv[1:]
vectors = np.load(source)
{draw}
taken = time.perf_counter() - started[0], time.process_time() - started[1]
np.save(target, np.asarray(places, np.float32))
print(json.dumps(taken))
"""


def run() -> list[Figure]:
    """Cold processes in turns; of ratios the middle one of three, each taken within a turn."""
    population = Population(RunStore.open(evaluated(MNIST)))
    vectors = np.asarray(population.vectors().values)
    labels = choose(population).samples.labels
    assert labels is not None
    classes = np.empty(len(vectors), np.int64)
    classes[choose(population).rows] = labels.codes
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.save(folder / "vectors.npy", vectors)
        figures = _beside_the_package(folder, vectors, classes)
        figures += _beside_others(folder, vectors, classes)
        figures += _by_landmarks(folder, vectors, classes)
    return figures


def _beside_the_package(folder: Path, vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> list[Figure]:
    ours, package, quick = [], [], []
    for _ in range(REPEATS):
        ours.append(_drawn(folder, "ours", OURS))
        package.append(_drawn(folder, "package", PACKAGE))
        quick.append(_drawn(folder, "pca", OURS, method="pca"))
    one, other = (_quality(vectors, classes, np.load(folder / f"{name}.npy")) for name in ("ours", "package"))
    count = f"{len(vectors):,} x {vectors.shape[1]}"
    told = f"{count}: trustworthiness, {VOTES}-NN accuracy of the map"
    print(f"{told}: ours {one}, of the package {other}")
    wall, processor = (
        statistics.median([a[place] / b[place] for a, b in zip(ours, package, strict=True)]) for place in (0, 1)
    )
    return [
        Figure(f"map of {count}, cold process", min(each[0] for each in ours), "s"),
        Figure("its time, of the package pacmap's with the same settings", wall, "x", 0.6),
        Figure("its processor time, of the package's", processor, "x", 0.6),
        Figure("trustworthiness below the package's", other[0] - one[0], "", 0.01),
        Figure("10-NN accuracy below the package's", other[1] - one[1], "", 0.01),
        Figure(f"map of {count} by PCA, cold process", min(each[0] for each in quick), "s", 1),
    ]


def _beside_others(folder: Path, vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> list[Figure]:
    python = os.environ.get(PYTHON)
    if python is None:
        print(f"UMAP and openTSNE are left out: {PYTHON} names no Python that has umap-learn and openTSNE.")
        return []
    figures = []
    for name, draw in (("UMAP", UMAP), ("openTSNE", OPEN_TSNE)):
        theirs, ours = _drawn(folder, name, draw, python=python), _drawn(folder, "ours", OURS)
        print(f"{name}: {theirs[0]:.1f} s, {_quality(vectors, classes, np.load(folder / f'{name}.npy'))}")
        figures.append(Figure(f"our map's time, of {name}'s", ours[0] / theirs[0], "x", 1))
    return figures


def _by_landmarks(folder: Path, vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> list[Figure]:
    whole = _quality(vectors, classes, np.load(folder / "ours.npy"))
    tenth = _quality(vectors, classes, project(vectors, landmarks=len(vectors) // 10))
    print(f"by landmarks, one in ten: {tenth}")
    generator = np.random.default_rng(0)
    many = vectors[generator.integers(len(vectors), size=MILLION)]
    many += 0.1 * vectors.std(axis=0) * generator.standard_normal(many.shape, np.float32)
    np.save(folder / "many.npy", many)
    few, million = _drawn(folder, "ours", OURS), _drawn(folder, "million", OURS, source="many")
    return [
        Figure("trustworthiness by landmarks, one in ten, below the whole map's", whole[0] - tenth[0], "", 0.01),
        Figure(f"map of {MILLION:,} by landmarks, cold process", million[0], "s"),
        Figure(f"its time, of that of {len(vectors):,}", million[0] / few[0], "x", 8),
        Figure("its processor time, of theirs", million[1] / few[1], "x", 8),
    ]


def _drawn(
    folder: Path, name: str, draw: str, method: str = "pacmap", source: str = "vectors", python: str = sys.executable
) -> tuple[float, float]:
    """Seconds, and seconds of the processor, of a cold process that leaves the map as NAME.npy."""
    arguments = ["-c", DRAW.format(draw=draw), method, str(folder / f"{source}.npy"), str(folder / f"{name}.npy")]
    seconds, processor = json.loads(watch(arguments, python=python).output.splitlines()[-1])
    return seconds, processor


def _quality(
    vectors: NDArray[np.float32], classes: NDArray[np.int64], places: NDArray[np.float32]
) -> tuple[float, float]:
    """Trustworthiness of 15 neighbours (Venna and Kaski, ICANN 2001), and how often a point's 10 neighbours on the map
    have its class, both of some points beside all others."""
    from sklearn.neighbors import NearestNeighbors

    count = len(vectors)
    asked = np.random.default_rng(3).permutation(count)
    search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(places)
    beside = _others(search.kneighbors, places, asked[:ASKED])
    lengths, misplaced = np.einsum("nw,nw->n", vectors, vectors), 0
    for row, near in zip(asked[:ASKED], beside, strict=True):
        distances = lengths - 2 * vectors @ vectors[row]
        distances[row] = -np.inf  # itself has rank 0
        ranks = (distances[None] < distances[near][:, None]).sum(axis=1)
        misplaced += int(np.maximum(ranks - NEIGHBOURS, 0).sum())
    trust = 1 - 2 * misplaced / (ASKED * NEIGHBOURS * (2 * count - 3 * NEIGHBOURS - 1))
    votes = classes[_others(search.kneighbors, places, asked[:CLASSED])[:, :VOTES]]
    said = np.array([np.bincount(each).argmax() for each in votes])
    return round(float(trust), 4), round(float((said == classes[asked[:CLASSED]]).mean()), 4)


def _others(search: Callable[..., Any], places: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """[m, 15] the nearest on the map, without the point itself."""
    found = search(places[rows], return_distance=False)
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(found[~own].reshape(len(rows), NEIGHBOURS))
