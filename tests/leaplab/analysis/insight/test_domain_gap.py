import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leaplab.analysis.differences import Values
from leaplab.analysis.insight import domain_gap
from leaplab.analysis.insight.samples import Samples, Space
from tests.leaplab.analysis.insight.odd_samples import assert_sound, odd_samples


def find(samples) -> Any:
    return domain_gap.find(samples)


DOMAIN = "metadata.origin"


def planted(seed=0, shift=0.8, sizes=(150, 100), columns=None) -> Any:
    """Samples of domains, of which the others lie apart from the first, and are warmer."""
    generator = np.random.default_rng(seed)
    codes = generator.permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(float)
    count = len(codes)
    vectors = generator.normal(size=(count, 12))
    vectors[:, :4] += shift * codes[:, None]
    told = {
        "metadata.warmth": Values(generator.normal(size=count) + 2.0 * codes),
        "metadata.other": Values(generator.normal(size=count)),
        DOMAIN: Values(codes, [f"place {code}" for code in range(len(sizes))]),
        **(columns or {}),
    }
    states = np.array(["training", "test"], object)[np.arange(count) % 2]
    space = Space("model", np.arange(count), vectors.astype(np.float32))
    return Samples(states, told, space=space, domains=(DOMAIN,))


def test_domains_that_lie_apart_are_found():
    assert sum(bool(find(planted(seed)).insights) for seed in range(10)) >= 9


def test_domains_of_one_kind_are_not():
    silent = [find(planted(seed, shift=0.0)).silent for seed in range(20)]

    assert sum(not each for each in silent) <= 3  # of level .05 in each
    told = next(each for each in silent if each)
    assert told.startswith(
        "No domains lie apart: 1 pair of domains was compared, and the least p after correction is 0."
    )


def test_the_numbers_are_those_of_their_definitions():
    samples = planted()
    found = find(samples)
    (insight,) = found.insights
    codes = samples.columns[DOMAIN].numbers

    assert_sound(found, samples)
    assert insight.title == "origin: place 1 lies apart from place 0"
    assert insight.severity == pytest.approx(2 * insight.statistics["AUC"] - 1)
    assert insight.statistics["AUC"] > 0.8
    assert insight.statistics["p"] <= 2 / 500
    assert insight.statistics["AUC, lower bound"] < insight.statistics["AUC"] < insight.statistics["AUC, upper bound"]
    # Members are all of the smaller domain, those that are most like it in front; it is set apart from the other.
    assert set(insight.members.tolist()) == set(np.flatnonzero(codes == 1).tolist())
    assert insight.scores.tolist() == sorted(insight.scores.tolist(), reverse=True)
    assert set(insight.differences_from.tolist()) == set(np.flatnonzero(codes == 0).tolist())
    assert insight.population == 100
    along = samples.space.vectors[insight.members, :4].sum(axis=1)
    assert along[:30].mean() > along[-30:].mean() + 2
    assert "metadata.warmth" in insight.explanation
    assert "metadata.other" not in insight.explanation
    assert DOMAIN not in insight.explanation


@pytest.mark.parametrize(("domains", "pairs"), [(2, 1), (4, 6), (6, 5)])
def test_of_more_than_four_domains_the_largest_is_compared_with_each_other_one(domains, pairs):
    samples = planted(shift=2.0, sizes=[60] + [40] * (domains - 1))
    titles = [insight.title for insight in find(samples).insights]

    assert len(titles) == pairs
    if domains > 4:
        assert all(title.endswith("lies apart from place 0") for title in titles)


@pytest.mark.parametrize("shift", [2.0, 0.0])
def test_pairs_beyond_twelve_are_named_as_left_out(shift):
    found = find(planted(shift=shift, sizes=[60] + [40] * 12 + [35, 34]))
    told = [insight.explanation for insight in found.insights] or [found.silent]

    for text in told:
        assert text.endswith("tests find nothing: place 0 and place 13, place 0 and place 14.")


def test_small_domains_are_not_compared():
    assert find(planted(sizes=(100, 29))).silent == (
        "The domain column metadata.origin has no two values with 30 samples each."
    )


def test_domains_of_numbers_are_named_by_them():
    samples = planted(shift=3.0)
    columns = {**samples.columns, DOMAIN: Values(samples.columns[DOMAIN].numbers + 0.5)}

    assert find(replace(samples, columns=columns)).insights[0].title == "origin: 1.5 lies apart from 0.5"


def test_a_gap_that_no_linear_model_sees_is_told_as_one_of_spread():
    samples = planted(shift=0.0, sizes=(200, 200))
    vectors = samples.space.vectors.copy()
    vectors[samples.columns[DOMAIN].numbers == 1] *= 2
    (insight,) = find(replace(samples, space=Space("model", samples.space.rows, vectors))).insights

    assert insight.severity < 0.1
    assert "it is their spread that differs" in insight.explanation


def test_p_is_corrected_for_all_pairs():
    samples = planted(shift=2.0, sizes=(40, 40, 40))

    assert [insight.statistics["p"] for insight in find(samples).insights] == pytest.approx([6 / 500] * 3)


def test_the_order_does_not_matter():
    samples = planted(4)
    order = np.random.default_rng(0).permutation(len(samples))
    turned = replace(
        samples,
        states=samples.states[order],
        columns={name: Values(each.numbers[order], each.categories) for name, each in samples.columns.items()},
        space=Space("model", samples.space.rows, samples.space.vectors[order]),
    )
    one, other = find(samples).insights[0], find(turned).insights[0]

    assert other.severity == pytest.approx(one.severity)
    assert order[other.members].tolist() == one.members.tolist()
    assert other.statistics["energy distance"] == pytest.approx(one.statistics["energy distance"])


def test_silence_says_why():
    odd = odd_samples()

    assert find(odd["nothing known"]).silent.startswith("The integration names no metadata whose values are domains;")
    assert find(odd["no space"]).silent == "No space, said the run."
    assert find(odd["one"]).silent == "The domain columns have no two values with 30 samples each."
    assert find(replace(odd["one state"], domains=("metadata.gone",))).silent.startswith(
        "The domain column metadata.gone"
    )


@pytest.mark.parametrize("name", odd_samples())
def test_odd_samples_are_survived(name):
    samples = odd_samples()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_sound(find(samples), samples)
