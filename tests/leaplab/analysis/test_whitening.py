import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from leaplab.analysis.whitening import fit_whitening


def vectors_of(seed: int, count: int = 200, width: int = 8) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(2, 1, (count, width)) @ generator.normal(size=(width, width))


@pytest.mark.parametrize("width", [3, 8])
def test_components_are_those_of_scikit_learn(width):
    vectors, others = vectors_of(0), vectors_of(1, 50)
    found = fit_whitening(vectors, width)

    scaler = StandardScaler().fit(vectors)
    wanted = PCA(width, whiten=True).fit(scaler.transform(vectors))
    # scikit-learn divides by n - 1, and its signs are its own.
    theirs = wanted.transform(scaler.transform(others)) * np.sqrt(200 / 199)
    assert np.abs(found.of(others)) == pytest.approx(np.abs(theirs))
    own = found.of(vectors)
    assert own.mean(axis=0) == pytest.approx(np.zeros(width), abs=1e-9)
    assert np.cov(own.T, bias=True) == pytest.approx(np.eye(width), abs=1e-9)


@pytest.mark.parametrize(("count", "components"), [(2, 1), (10, 3), (23, 7), (30, 8)])
def test_few_vectors_have_few_components(count, components):
    assert fit_whitening(vectors_of(2, count)).of(vectors_of(2, count)).shape == (count, components)


@pytest.mark.parametrize("seed", range(3))
def test_dimensions_that_say_the_same_are_no_components_of_their_own(seed):
    generator = np.random.default_rng(seed)
    three = generator.normal(size=(200, 3))
    flat = (three @ generator.normal(size=(3, 40))).astype(np.float32)
    with np.errstate(all="raise", under="ignore"):
        copies = fit_whitening(np.repeat(three, 10, axis=1)).of(np.repeat(three, 10, axis=1))
        found = fit_whitening(flat).of(flat)

    assert copies.shape == (200, 3)
    assert found.shape == (200, 3)
    assert np.isfinite(found).all()


def test_what_is_constant_does_not_count():
    vectors = vectors_of(3)
    vectors[:, 2] = 5
    moved = vectors.copy()
    moved[:, 2] = 1e6
    found = fit_whitening(vectors)

    assert found.of(moved) == pytest.approx(found.of(vectors))
    assert fit_whitening(np.ones((20, 4))).of(np.zeros((3, 4))).shape == (3, 0)
