from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

from leaplab.analysis.mislabeled import label_scores, neighbours_majority


def classes(seed: int, count: int = 600, kinds: int = 4, apart: float = 3.0, width: int = 8):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, kinds, count)
    centres = generator.normal(size=(kinds, width))
    centres *= apart / np.linalg.norm(centres, axis=1, keepdims=True)
    return (centres[labels] + generator.normal(size=(count, width))).astype(np.float32), labels, generator


def flipped(labels, generator, share=0.08, pairs=False) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    wrong = np.zeros(len(labels), bool)
    wrong[generator.permutation(len(labels))[: int(share * len(labels))]] = True
    kinds = int(labels.max()) + 1
    steps = 1 if pairs else generator.integers(1, kinds, wrong.sum())
    given_labels = labels.copy()
    given_labels[wrong] = (labels[wrong] + steps) % kinds
    return given_labels, wrong


@pytest.mark.parametrize("pairs", [False, True])
def test_labels_that_were_flipped_come_first(pairs):
    found = []
    for seed in range(10):
        vectors, labels, generator = classes(seed, apart=5)
        given_labels, wrong = flipped(labels, generator, pairs=pairs)
        result = label_scores(vectors, given_labels)
        found.append(average_precision_score(wrong, result.scores) >= 0.9)
        assert (result.likely[wrong] == labels[wrong]).mean() >= 0.9
    assert sum(found) >= 9


def plain_odds(vectors, labels) -> NDArray[np.float64]:
    standard = StandardScaler().fit_transform(vectors.astype(float))
    model = LogisticRegression(C=0.01, max_iter=1000)
    odds = np.log(cross_val_predict(model, standard, labels, method="predict_proba"))
    own = odds[np.arange(len(odds)), labels].copy()
    odds[np.arange(len(odds)), labels] = -np.inf
    return np.asarray(odds.max(axis=1) - own)


@pytest.mark.parametrize(("share", "better_by"), [(0.08, 0.03), (0.35, 0.12)])
def test_flips_between_pairs_are_found_better_than_by_the_plain_odds_of_a_classifier(share, better_by):
    ours, plain = [], []
    for seed in range(4):
        vectors, labels, generator = classes(seed, 1500, kinds=6, apart=3 if share < 0.1 else 4, width=32)
        given_labels, wrong = flipped(labels, generator, share, pairs=True)
        ours.append(average_precision_score(wrong, label_scores(vectors, given_labels).scores))
        plain.append(average_precision_score(wrong, plain_odds(vectors, given_labels)))
    assert np.mean(ours) > np.mean(plain) + better_by


def test_the_order_of_the_samples_decides_nothing():
    vectors, labels, generator = classes(0)
    order = generator.permutation(len(labels))
    straight, shuffled = label_scores(vectors, labels), label_scores(vectors[order], labels[order])

    assert np.array_equal(straight.scores[order], shuffled.scores)
    assert np.array_equal(straight.likely[order], shuffled.likely)
    assert straight.balanced_accuracy == shuffled.balanced_accuracy


def test_samples_that_are_sorted_by_class_are_ranked_as_well():
    vectors, labels, generator = classes(1, apart=5)
    given_labels, wrong = flipped(labels, generator)
    order = np.argsort(labels, kind="stable")
    result = label_scores(vectors[order], given_labels[order])

    assert average_precision_score(wrong[order], result.scores) >= 0.9


def test_the_labels_are_named_as_they_came():
    vectors, labels, _ = classes(2)
    plain, moved = label_scores(vectors, labels), label_scores(vectors, 7 * labels + 3)

    assert np.array_equal(plain.scores, moved.scores)
    assert np.array_equal(7 * plain.likely + 3, moved.likely)
    assert (plain.likely != labels).all()


def test_the_accuracy_is_that_of_samples_that_were_not_fitted():
    vectors, labels, generator = classes(3, apart=8)
    assert label_scores(vectors, labels).balanced_accuracy >= 0.99
    # 60 numbers could learn 120 labels by heart.
    noise, coins = generator.normal(size=(120, 60)).astype(np.float32), generator.integers(0, 2, 120)
    assert 0.3 < label_scores(noise, coins).balanced_accuracy < 0.7


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [950, 50])
    result = label_scores(generator.normal(size=(1000, 4)).astype(np.float32), labels)

    assert result.balanced_accuracy == pytest.approx(0.5, abs=0.03)


def test_classes_of_five_and_dimensions_without_spread_are_ranked():
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 5)
    vectors = np.column_stack([generator.normal(size=(30, 3)), np.ones(30), np.zeros(30)]).astype(np.float32)
    result = label_scores(vectors, labels)

    assert np.isfinite(result.scores).all()
    assert len(result.scores) == 30


def test_more_samples_than_one_fit_takes_are_all_ranked():
    vectors, labels, generator = classes(4, count=14_000, apart=5)
    given_labels, wrong = flipped(labels, generator)
    result = label_scores(vectors, given_labels)

    assert np.isfinite(result.scores).all()
    assert average_precision_score(wrong, result.scores) >= 0.95


@given(
    st.lists(st.lists(st.integers(-1, 3), min_size=7, max_size=7), min_size=1, max_size=8),
)
def test_the_majority_is_that_of_counting(around):
    labels = np.array([label for row in around for label in row], np.int64)
    neighbours = np.arange(len(labels)).reshape(len(around), 7)
    wanted = []
    for row in around:
        known = [label for label in row if label >= 0]
        label, count = Counter(known).most_common(1)[0] if known else (-1, 0)
        wanted.append(label if 2 * count > len(known) else -1)

    assert neighbours_majority(neighbours, labels, np.arange(len(around))).tolist() == wanted


def test_a_sample_without_neighbours_has_no_majority():
    assert neighbours_majority(np.zeros((1, 0), np.int64), np.array([0]), np.array([0])).tolist() == [-1]
