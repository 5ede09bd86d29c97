"""What was taken for what: against scikit-learn, and worked by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from leaplab.analysis.charting.confusion import Things, confused_classes, confused_things, things_of

LABELS = ["ant", "bee", "cat"]


@pytest.mark.parametrize("seed", range(3))
def test_samples_are_what_scikit_learn_counts(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth, scores = generator.integers(0, 3, 400), generator.dirichlet(np.ones(3), 400)

    found = confused_classes(np.arange(400), truth, scores, LABELS, None, "no answer")

    np.testing.assert_array_equal(found.matrix(), confusion_matrix(truth, scores.argmax(axis=1), labels=range(3)))
    for true in range(3):
        for predicted in range(3):
            wanted = np.flatnonzero((truth == true) & (scores.argmax(axis=1) == predicted))
            np.testing.assert_array_equal(found.rows_of_cell(true, predicted), wanted)


def test_below_the_threshold_there_is_no_answer() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.2, 0.49, 0.31], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4]])
    found = confused_classes(np.array([3, 5, 8, 9]), np.array([0, 1, 0, 2]), scores, LABELS, 0.5, "no answer")

    assert found.predicted_labels == [*LABELS, "no answer"]
    assert found.true_labels == LABELS
    assert found.matrix().tolist() == [[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
    assert found.rows_of_cell(1, 3).tolist() == [5]
    assert found.rows_of_cell(2, 3).tolist() == [9]


def elements(*each: tuple[int, int, bool, float, int]) -> Things:
    row, label, expected, score, thing = (np.array(values) for values in zip(*each, strict=True))
    return things_of(row, label, expected, score, thing.astype(np.uint64), background=3)


def told(things: Things) -> set[tuple[int, int, int, float]]:
    columns: list[NDArray[np.generic]] = [things.row, things.true, things.claimed, things.score]
    return set(zip(*(column.tolist() for column in columns), strict=True))


BY_HAND = elements(
    (0, 0, True, 0.9, 11),  # an ant that is found
    (0, 1, True, 0.0, 12),  # a bee that is taken for a cat
    (0, 2, False, 0.6, 12),
    (0, 2, True, 0.0, 13),  # a cat that nothing is found for
    (0, 3, False, 1.0, 13),
    (0, 3, True, 0.0, 14),  # a false alarm of an ant
    (0, 0, False, 0.4, 14),
    (1, 0, True, 0.3, 11),  # another sample: the same id is another object
    (1, 2, False, 0.7, 0),  # an element of its own, without an id: a false alarm
    (1, 1, True, 0.0, 0),  # and another: a bee that nothing is found for
)


def test_the_elements_of_one_id_are_one_object() -> None:
    assert told(BY_HAND) == {
        *((0, 0, 0, 0.9), (0, 1, 2, 0.6), (0, 2, 3, 0.0), (0, 3, 0, 0.4)),
        *((1, 0, 0, 0.3), (1, 3, 2, 0.7), (1, 1, 3, 0.0)),
    }


def test_a_threshold_turns_claims_into_background() -> None:
    def matrix(threshold: float | None) -> list[list[int]]:
        found: list[list[int]] = confused_things(BY_HAND, LABELS, threshold, "background").matrix().tolist()
        return found

    #       true ant       bee           cat           background
    assert matrix(None) == [[2, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1], [1, 0, 1, 0]]
    assert matrix(0.4) == [[1, 0, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1], [1, 0, 1, 0]]
    assert matrix(0.5) == [[1, 0, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert matrix(0.65) == [[1, 0, 0, 1], [0, 0, 0, 2], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert matrix(1.0) == [[0, 0, 0, 2], [0, 0, 0, 2], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_a_sample_with_several_things_in_a_cell_is_one_row() -> None:
    two = elements((4, 0, True, 0.9, 1), (4, 0, True, 0.8, 2), (2, 0, True, 0.7, 1))

    found = confused_things(two, LABELS, None, "background")
    assert found.matrix()[0, 0] == 3
    assert found.rows_of_cell(0, 0).tolist() == [2, 4]


def test_the_surest_of_several_claims_at_a_place_counts() -> None:
    both = elements((0, 0, True, 0.5, 7), (0, 1, False, 0.6, 7), (0, 2, False, 0.2, 7))

    assert told(both) == {(0, 0, 1, 0.6)}


def test_the_order_of_elements_does_not_matter() -> None:
    generator = np.random.default_rng(0)
    row, label = generator.integers(0, 5, 60), generator.integers(0, 4, 60)
    expected, score = generator.random(60) < 0.5, generator.random(60)
    thing = generator.integers(1, 6, 60).astype(np.uint64)
    order = generator.permutation(60)

    straight = things_of(row, label, expected, score, thing, 3)
    shuffled = things_of(row[order], label[order], expected[order], score[order], thing[order], 3)
    assert told(straight) == told(shuffled)


def test_without_ids_every_element_is_alone() -> None:
    things = things_of(
        np.array([0, 0, 0]), np.array([0, 1, 3]), np.array([True, False, True]), np.array([0.0, 0.7, 0.0]), None, 3
    )

    assert told(things) == {(0, 0, 3, 0.0), (0, 3, 1, 0.7), (0, 3, 3, 0.0)}
    assert confused_things(things, LABELS, None, "background").matrix().sum() == 2
