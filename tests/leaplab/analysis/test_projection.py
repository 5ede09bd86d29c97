import subprocess
import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from leaplab.analysis.projection import METHODS, principal_components, project

GENERATOR = np.random.default_rng(0)
BLOBS = np.concatenate([GENERATOR.normal(10 * blob, 1, (40, 8)) for blob in (-1, 0, 1)]).astype(np.float32)


@pytest.mark.parametrize("shape", [(40, 8), (8, 40), (12, 12), (200, 60)])
def test_principal_components_are_those_of_the_singular_value_decomposition(shape):
    vectors = np.random.default_rng(1).normal(size=shape) * np.linspace(1, 3, shape[1]) + 5
    centred = vectors - vectors.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    wanted = (left * singular)[:, :5]

    found = principal_components(vectors, 5)

    signs = np.sign((found * wanted).sum(axis=0))
    np.testing.assert_allclose(found * signs, wanted, rtol=1e-4, atol=1e-4)
    assert found.dtype == np.float32


def test_there_are_no_more_components_than_the_vectors_have():
    assert principal_components(BLOBS, 100).shape == (120, 8)
    assert principal_components(BLOBS[:3], 100).shape == (3, 3)


@pytest.mark.parametrize("method", METHODS)
def test_map_fills_the_square_with_one_scale(method):
    points = project(BLOBS, method)

    assert points.shape == (120, 2)
    assert points.dtype == np.float32
    extent = points.max(axis=0) - points.min(axis=0)
    assert extent.max() == pytest.approx(2, abs=1e-5)
    np.testing.assert_allclose(points.max(axis=0) + points.min(axis=0), 0, atol=1e-5)
    if method == "pca":  # distances keep their proportions
        components = principal_components(BLOBS, 2)
        scale = 2 / np.ptp(components, axis=0).max()
        np.testing.assert_allclose(np.ptp(points, axis=0), np.ptp(components, axis=0) * scale, rtol=1e-4)


def test_neighbours_stay_neighbours():
    points = project(BLOBS)

    assert trustworthiness(BLOBS, points, n_neighbors=10) > 0.9
    blobs = points.reshape(3, 40, 2)
    spread = np.linalg.norm(blobs - blobs.mean(axis=1, keepdims=True), axis=2).max()
    assert (
        min(np.linalg.norm(blobs[a].mean(axis=0) - blobs[b].mean(axis=0)) for a, b in ((0, 1), (1, 2), (0, 2))) > spread
    )


def test_same_seed_draws_the_same_map_in_another_process():
    script = (
        "import sys, numpy as np\nfrom leaplab.analysis.projection import project\n"
        "vectors = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(-1, 8)\n"
        "sys.stdout.buffer.write(project(vectors, seed=3).tobytes())\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], input=BLOBS.tobytes(), capture_output=True, check=True)

    assert finished.stdout == project(BLOBS, seed=3).tobytes()
    assert finished.stdout != project(BLOBS, seed=4).tobytes()


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17])
@pytest.mark.parametrize("width", [1, 2, 60])
def test_few_samples_have_a_map(count, width):
    vectors = np.random.default_rng(2).normal(size=(count, width)).astype(np.float32)

    points = project(vectors)

    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    assert np.abs(points).max(initial=0) <= 1 + 1e-6
    if count > 1:
        assert len(np.unique(points, axis=0)) > 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [3, 40])
def test_identical_samples_lie_on_one_point(method, count):
    assert project(np.full((count, 8), 0.1, np.float32), method).tolist() == [[0.0, 0.0]] * count


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_refused(bad):
    vectors = BLOBS.copy()
    vectors[7, 3] = bad

    with pytest.raises(ValueError, match="NaN or infinity"):
        project(vectors)
