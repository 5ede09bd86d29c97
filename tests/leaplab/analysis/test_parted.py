import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from leaplab.analysis import clustering, parted
from leaplab.analysis.clustering import cluster, cluster_numbers
from leaplab.analysis.components import standard_components, standard_components_by_blocks
from leaplab.analysis.neighbours import Metric, NeighboursByBlocks
from leaplab.analysis.parted import PartedVectors, blocks_of
from leaplab.analysis.projection import project


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parted, "BLOCK", 13)


def in_parts(vectors: np.ndarray, *bounds: int) -> PartedVectors:
    return PartedVectors(np.split(np.asarray(vectors, np.float32), bounds))


@pytest.mark.parametrize("bounds", [(), (40,), (0, 3, 3, 70), (1, 2, 99)])
def test_parts_read_as_one_array(bounds: tuple[int, ...]) -> None:
    generator = np.random.default_rng(1)
    whole = generator.normal(size=(100, 4)).astype(np.float32)
    found = in_parts(whole, *bounds)
    rows = generator.integers(-100, 100, size=37)
    mask = generator.random(100) < 0.3

    assert (found.shape, len(found), found.nbytes) == ((100, 4), 100, 1600)
    for key in (
        slice(None),
        slice(5, 45),
        slice(90, 400),
        slice(60, 20),
        slice(-7, None),
        slice(2, 90, 3),
        rows,
        mask,
        [3, -1],
    ):
        np.testing.assert_array_equal(found[key], whole[key])
    np.testing.assert_array_equal(found[-3], whole[-3])
    np.testing.assert_array_equal(np.asarray(found), whole)

    some = np.flatnonzero(mask)
    of_some = found.of(some)
    assert of_some.shape == (len(some), 4)
    for key in (slice(None), slice(3, 9), slice(None, None, 2), np.array([2, 0, 2, -1]), mask[: len(some)]):
        np.testing.assert_array_equal(of_some[key], whole[some][key])
    np.testing.assert_array_equal(of_some.of(np.array([4, 1]))[:], whole[some][[4, 1]])


@pytest.mark.parametrize("count", [0, 12, 13, 14, 40])
def test_blocks_are_all_of_it_in_order(small_blocks: None, count: int) -> None:
    whole = np.arange(3 * count, dtype=np.float32).reshape(count, 3)

    read = list(blocks_of(in_parts(whole, count // 2)))

    assert [first for first, _ in read] == list(range(0, count, 13))
    np.testing.assert_array_equal(np.concatenate([block for _, block in read]) if read else whole, whole)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("count", [1, 9, 30, 200])
def test_the_nearest_are_those_of_all_compared_with_all(small_blocks: None, metric: Metric, count: int) -> None:
    generator = np.random.default_rng(count)
    vectors = generator.integers(-3, 4, size=(150, 3)).astype(np.float32)  # many are equally far
    allowed = generator.random(150) < 0.6
    query = generator.normal(size=3)
    if metric == "euclidean":
        exact = np.linalg.norm(vectors - query, axis=1)
    else:
        lengths = np.linalg.norm(vectors.astype(float), axis=1) * np.linalg.norm(query)
        exact = 1 - np.divide(vectors @ query, lengths, out=np.zeros(150), where=lengths > 0)

    for among in (None, allowed, np.zeros(150, bool)):
        rows, distances = NeighboursByBlocks(in_parts(vectors, 50, 51), metric).nearest(query, count, among)

        candidates = np.arange(150) if among is None else np.flatnonzero(among)
        wanted = candidates[np.lexsort((candidates, exact[candidates].round(9)))][:count]
        assert rows.tolist() == wanted.tolist()
        np.testing.assert_allclose(distances, exact[wanted], atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 6), (90, 50), (20, 40)])
def test_components_by_blocks_are_those_of_the_standardised_vectors(small_blocks: None, shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(2).normal(size=shape) * np.geomspace(1, 30, shape[1]) + 5
    vectors[:, 1] = 3  # a constant dimension is left out
    vectors = vectors.astype(np.float32)
    standard = StandardScaler().fit_transform(np.delete(vectors.astype(float), 1, axis=1))
    wanted = PCA(svd_solver="full").fit_transform(standard)[:, :5]

    found = standard_components_by_blocks(in_parts(vectors, 7))

    assert found.shape == (shape[0], min(32, shape[1] - 1, shape[0] - 1))
    signs = np.sign((found[:, :5] * wanted).sum(axis=0))
    np.testing.assert_allclose(found[:, :5] * signs, wanted, atol=1e-4)
    np.testing.assert_allclose(found[:, :5], standard_components(vectors)[:, :5], atol=1e-4)
    assert standard_components_by_blocks(in_parts(np.ones((30, 3)), 4)).shape == (30, 0)


@pytest.mark.parametrize("clusters", [None, 7])
def test_clusters_by_mini_batches_are_those_that_are_there(
    monkeypatch: pytest.MonkeyPatch, clusters: int | None
) -> None:
    monkeypatch.setattr(clustering, "GRID", (2, 5, 7, 9))
    vectors, truth = make_blobs(4_000, 10, centers=7, cluster_std=1.5, random_state=3)
    exact = cluster(vectors.astype(np.float32), clusters)
    monkeypatch.setattr(clustering, "MANY", 1_000)
    monkeypatch.setattr(clustering, "BATCH", 200)

    found = cluster(in_parts(vectors, 1_500), clusters)

    assert adjusted_rand_score(found.numbers, truth) > 0.98
    assert adjusted_rand_score(found.numbers, exact.numbers) > 0.98
    assert (np.diff(found.sizes[:7]) <= 0).all()
    assert found.sizes[:7] == np.bincount(found.numbers).tolist()
    assert found.silhouette == pytest.approx(exact.silhouette, abs=0.02)
    assert found.stability is not None
    assert found.stability > 0.95
    assert adjusted_rand_score(cluster_numbers(in_parts(vectors, 9), 7), truth) > 0.98
    assert (cluster(in_parts(vectors, 1_500), clusters).numbers == found.numbers).all()
    assert cluster(in_parts(np.ones((1_200, 2)), 9)).numbers.tolist() == [0] * 1_200
    assert cluster_numbers(in_parts(np.ones((1_200, 2)), 9), 4).tolist() == [0] * 1_200


@pytest.mark.parametrize("landmarks", [100_000, 60])
def test_a_map_of_parts_is_that_of_the_whole(landmarks: int) -> None:
    vectors, _ = make_blobs(400, 6, centers=3, random_state=5)
    vectors = vectors.astype(np.float32)

    for method in ("pca", "pacmap"):
        found = project(in_parts(vectors, 100, 250), method, landmarks=landmarks)
        np.testing.assert_array_equal(found, project(vectors, method, landmarks=landmarks))
    assert project(in_parts(np.ones((40, 3)), 9)).tolist() == [[0, 0]] * 40
    vectors[300, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        project(in_parts(vectors, 100))


LIMITED = """
import resource, sys
import numpy as np
from leaplab.analysis.clustering import cluster
from leaplab.analysis.neighbours import Neighbours, NeighboursByBlocks
from leaplab.analysis.parted import PartedVectors
import sklearn.cluster, sklearn.metrics
what, limit, *files = sys.argv[1:]
vectors = PartedVectors([np.load(file, mmap_mode="r") for file in files])
taken = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (taken + int(limit), resource.RLIM_INFINITY))
try:
    np.asarray(vectors)
except MemoryError:
    print("does not fit")
if what == "similar":
    rows, distances = NeighboursByBlocks(vectors, "euclidean").nearest(vectors[1_234_567], 3)
    print(rows.tolist(), round(float(distances[0]), 6))
else:
    print(cluster(vectors).sizes[:5])
"""


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits what a process takes so")
@pytest.mark.parametrize(
    ("what", "shape", "limit"), [("similar", (2_000_000, 64), 100 * 2**20), ("clusters", (500_000, 256), 350 * 2**20)]
)
def test_vectors_of_half_a_gibibyte_are_looked_at_in_far_less(
    tmp_path: Path, what: str, shape: tuple[int, int], limit: int
) -> None:
    files = [tmp_path / f"{number}.npy" for number in range(2)]
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(5, shape[1])) * 2
    half = shape[0] // 2
    for file in files:
        array = np.lib.format.open_memmap(file, "w+", np.float32, (half, shape[1]))
        for first in range(0, half, 50_000):
            array[first : first + 50_000] = centres[np.arange(50_000) % 5]
            array[first : first + 50_000] += generator.standard_normal((50_000, shape[1]), np.float32)
        array.flush()
        del array
    assert sum(file.stat().st_size for file in files) >= 2**29 - 2**25

    finished = subprocess.run(
        [sys.executable, "-c", LIMITED, what, str(limit), *map(str, files)], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr
    refused, answer = finished.stdout.splitlines()
    assert refused == "does not fit"
    assert answer.startswith("[1234567, ") if what == "similar" else answer == str([100_000] * 5)
