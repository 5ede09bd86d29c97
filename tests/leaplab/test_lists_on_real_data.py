"""Lists of real digits; `make bench` measures more, on photographs too."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from data_access.root import data_root
from leaplab.analysis.clustering import cluster
from leaplab.analysis.labelling import Pool, choose
from leaplab.analysis.pruning import Crowd, prune

pytestmark = pytest.mark.real_data("mnist/mnist.npz")


@pytest.fixture(scope="module")
def digits() -> Any:
    """2,000 digits to choose from, and 3,000 others."""
    with np.load(data_root() / "mnist" / "mnist.npz") as file:
        pixels, labels = file["x_train"].reshape(-1, 784).astype(np.float32) / 255, file["y_train"].astype(np.int64)
    rows = np.random.default_rng(0).permutation(len(pixels))[:5000]
    return pixels[rows[:2000]], labels[rows[:2000]], pixels[rows[2000:]], labels[rows[2000:]]


def accuracy(digits: Any, rows: Any) -> float:
    vectors, labels, held, truth = digits
    head = LogisticRegression(max_iter=60).fit(vectors[rows], labels[rows])
    return 100 * float((head.predict(held) == truth).mean())


def of_random(digits: Any, count: int) -> float:
    generator = np.random.default_rng(1)
    return float(np.mean([accuracy(digits, generator.permutation(2000)[:count]) for _ in range(6)]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_head_learns_two_points_more_from_a_list_of_a_twentieth(digits):
    vectors, _, held, truth = digits
    base = LogisticRegression(max_iter=60).fit(held[:250], truth[:250])
    unsure = -np.log(base.predict_proba(vectors).max(axis=1))
    chosen = choose(Pool(vectors, unsure), 100).places

    assert accuracy(digits, chosen) >= of_random(digits, 100) + 2


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_head_does_no_worse_on_what_pruning_keeps(digits):
    vectors = digits[0]
    found = cluster(vectors)
    crowd = Crowd(vectors, found.numbers, found.distances)
    kept = [accuracy(digits, prune(crowd, 400, seed=seed).kept) for seed in range(3)]

    assert np.mean(kept) >= of_random(digits, 400) - 0.5
