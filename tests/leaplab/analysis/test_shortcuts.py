import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from leaplab.analysis.differences import Values
from leaplab.analysis.shortcuts import describes, shortcuts

NAN = float("nan")


def numbers(values) -> Values:
    return Values(np.asarray(values, np.float64))


def coded(codes, categories) -> Values:
    return Values(np.asarray(codes, np.float64), categories)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kinds=st.integers(2, 6))
def test_the_tree_is_that_of_scikit_learn(seed, kinds):
    generator = np.random.default_rng(seed)
    labels = generator.choice(kinds, 400, p=np.arange(1, kinds + 1) / sum(range(1, kinds + 1)))
    labels[: 10 * kinds] = np.repeat(np.arange(kinds), 10)
    values = np.round(8 * labels + 2.5 * generator.normal(size=400)) % 60
    (found,) = shortcuts({"a": numbers(values)}, labels)

    tree = DecisionTreeClassifier(max_depth=3, class_weight="balanced", criterion="entropy", random_state=0)
    tree.fit(values[:, None], labels)
    shares = tree.predict_proba(values[:, None])[np.arange(400), labels]
    # Cuts that are equally good may differ, of scikit-learn by its seed.
    assert np.mean(np.isclose(found.told, shares)) > 0.9
    predicted = cross_val_predict(tree, values[:, None], labels, cv=5)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predicted), abs=0.06)
    assert found.chance == 1 / kinds


def test_twenty_classes_can_be_told_by_a_deeper_tree():
    labels = np.arange(2000) % 20
    values = labels + 0.3 * np.random.default_rng(0).random(2000)
    (found,) = shortcuts({"a": numbers(values)}, labels)

    assert found.balanced_accuracy > 0.9


def test_a_planted_shortcut_is_found_and_no_other():
    hits = 0
    for seed in range(10):
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, 3, 500)
        columns = {f"n{place}": numbers(generator.normal(size=500)) for place in range(10)}
        columns["planted"] = numbers(generator.normal(size=500) + 4 * labels)
        hits += [each.column for each in shortcuts(columns, labels)] == ["planted"]
    assert hits >= 9


def test_permuted_labels_are_told_by_nothing():
    reports = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, 2, 40)
        columns = {f"n{place}": numbers(generator.normal(size=40)) for place in range(20)}
        columns["k"] = coded(generator.integers(0, 15, 40), [f"k{code}" for code in range(15)])
        reports += bool(shortcuts(columns, labels))
    assert reports <= 1


def test_the_bound_is_half_of_the_way_from_chance():
    # Two classes, of which a known share bears the other's value: the balanced accuracy is 1 less that share.
    labels = np.repeat([0, 1], 500)
    for share, told in ((0.2, True), (0.3, False)):
        values = labels.copy()
        for first in (0, 500):
            values[first : first + int(share * 500)] = 1 - values[first]
        found = shortcuts({"a": numbers(values)}, labels)
        assert bool(found) == told
        if found:
            assert found[0].balanced_accuracy == pytest.approx(1 - share)
            assert found[0].p == pytest.approx(1 / 500)


def test_the_p_value_is_corrected_for_the_columns_and_can_still_be_small():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    columns = {f"n{place}": numbers(generator.normal(size=200)) for place in range(99)}
    (found,) = shortcuts(columns | {"planted": numbers(labels + 0.1 * generator.normal(size=200))}, labels)

    assert found.p == pytest.approx(100 / 4000)


def test_chance_successes_of_few_samples_are_no_shortcut():
    # The accuracy of .8 that is seen comes often when ten of each class are permuted.
    found = 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        columns = {f"n{place}": numbers(generator.integers(0, 3, 20)) for place in range(30)}
        found += bool(shortcuts(columns, np.repeat([0, 1], 10)))
    assert found <= 2


def test_rare_classes_weigh_as_much_as_frequent_ones():
    labels = np.repeat([0, 1], [970, 30])
    assert shortcuts({"a": numbers(np.random.default_rng(0).normal(size=1000))}, labels) == []
    values = np.where(labels == 1, 5.0, 0.0)
    values[:97] = 5.0  # a tenth of the frequent class looks like the rare one, which makes more than it
    (found,) = shortcuts({"a": numbers(values)}, labels)

    assert found.balanced_accuracy == pytest.approx((0.9 + 1) / 2)


def test_a_category_is_a_leaf_of_its_own():
    generator = np.random.default_rng(0)
    codes = np.repeat(np.arange(16), 40)
    labels = codes % 2
    mixed = np.where(generator.random(640) < 0.05, 1 - labels, labels)
    (found,) = shortcuts({"k": coded(codes, [f"k{code}" for code in range(16)])}, mixed)

    assert found.balanced_accuracy == pytest.approx(0.95, abs=0.02)


def test_members_are_those_that_the_column_tells():
    values = np.repeat([0.0, 1.0], 200)
    labels = np.repeat([0, 1], 200)
    labels[:20] = 1
    values[-1] = NAN
    (found,) = shortcuts({"a": numbers(values)}, labels)

    assert not found.right[:20].any()
    assert found.right[20:-1].all()
    assert np.isnan(found.told[-1])
    assert not found.right[-1]
    low_leaf = (180 / 180) / (180 / 180 + 20 / 219)
    assert found.told[100] == pytest.approx(low_leaf)
    assert found.told[0] == pytest.approx(1 - low_leaf)


def test_labels_that_are_absent_or_rare_do_not_count():
    labels = np.repeat([0, 1, 2, -1], [100, 100, 9, 50])
    values = np.concatenate([np.zeros(100), np.ones(100), np.full(9, 2.0), np.full(50, 3.0)])
    (found,) = shortcuts({"a": numbers(values)}, labels)

    assert found.chance == 0.5
    assert np.isnan(found.told[200:]).all()


def test_what_is_absent_constant_or_has_too_many_classes_says_nothing():
    labels = np.arange(660) % 3
    columns = {
        "absent": numbers(np.full(660, NAN)),
        "constant": numbers(np.ones(660)),
        "ids": Values(np.arange(660.0), [f"id {code}" for code in range(660)]),
        "none": Values(np.full(660, NAN), []),
    }
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        assert shortcuts(columns, labels) == []
        assert shortcuts({"a": numbers(labels)}, np.zeros(660, np.int64)) == []
        assert shortcuts({"a": numbers(labels)}, np.full(660, -1)) == []
        assert shortcuts({"a": numbers(np.arange(660) % 33)}, np.arange(660) % 33) == []
        assert shortcuts({}, labels) == []


def test_a_column_describes_the_label_by_definition():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 200)
    camera = np.where(generator.random(200) < 0.9, labels % 2, 1 - labels % 2)
    cases = {
        "renamed": (coded(3 - labels, list("dcba")), True),
        "number of it": (numbers(10 * labels), True),
        "group of classes": (coded(labels >= 2, ["no", "yes"]), True),
        "group as a number": (numbers(labels >= 2), True),
        "part of a class": (coded(2 * labels + generator.integers(0, 2, 200), list("abcdefgh")), True),
        "with absent ones": (numbers(np.where(np.arange(200) % 3, labels, NAN)), True),
        "number that tells it": (numbers(labels + generator.random(200) / 2), False),
        "camera": (coded(camera, ["a", "b"]), False),
        "ids": (Values(np.arange(200.0), [f"id {code}" for code in range(200)]), False),
        "constant": (numbers(np.ones(200)), False),
        "absent": (numbers(np.full(200, NAN)), False),
    }

    assert {name: describes(values, labels) for name, (values, _) in cases.items()} == {
        name: wanted for name, (_, wanted) in cases.items()
    }
    assert not describes(numbers(labels), np.full(200, -1))


def test_what_the_tree_learns_by_heart_does_not_count():
    # Two of each category, whose labels agree with it by .8: on the other one that is .8 x .8 + .2 x .2 = .68.
    told = 0
    for seed in range(5):
        generator = np.random.default_rng(seed)
        codes = np.repeat(np.arange(60), 2)
        labels = np.where(generator.permutation(120) < 24, 1 - codes % 2, codes % 2)
        told += bool(shortcuts({"k": coded(codes, [f"k{code}" for code in range(60)])}, labels))
    assert told <= 1
