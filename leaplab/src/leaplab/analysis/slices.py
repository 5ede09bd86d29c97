"""Slices: groups of samples, which a rule or a place in latent space describes, on which a model does worse.

Half of the samples suggest slices, and the other half confirms them. Candidates are categories, ranges of numbers, two
of these together, k-means clusters of several sizes, and balls in latent space. They are picked one by one by how far
their mean lies above that of the rest; what a pick covers is levelled before the next, so that a slice that only
overlaps with a worse one is not told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.balls import Balls
from leaplab.analysis.candidates import Pairs, Ranges, Singles
from leaplab.analysis.corrections import holm
from leaplab.analysis.differences import Values
from leaplab.analysis.excess import NONE
from leaplab.analysis.rules import Condition

LEAST_MEMBERS = 15
"""Of a slice, in each half."""
LARGEST_SLICE = 0.5
"""Share of the samples: of a greater one the rest is what is special."""
WINSORISED = 0.995
"""Quantile of the badness that what is worse is set to, so that single samples make no slice."""
LEAST_Z = 3.3
MOST_SLICES = 30
PAIR_MUST_GAIN, PLACE_MUST_GAIN = 1.0, 0.7
"""By how much z of what is harder to say must exceed that of what is easier,"""
PAIR_SHARE, PLACE_SHARE = 0.1, 0.3
"""and by which share of it, since z grows with the number of samples, and a place is no easier to name for it."""
LEVEL = 0.05
LEAST_EFFECT = 0.15


@dataclass(frozen=True)
class Slice:
    """A group on which a model does worse, confirmed on samples that did not suggest it.

    Attributes:
        conditions: that its members meet together; none for a place in latent space.
        place: `cluster` or `ball` for a place in latent space, else empty.
        covers: [n] of all samples, those of other states among them.
        size: members in the state that it was found in.
        mean, rest: mean badness of these members, and of the state's other samples.
        z: of the mean against the rest, where it was suggested.
        effect: on the other half, how far the mean of members that no earlier slice covers lies above that of the
            samples that none covers, in standard deviations of that half.
        p: of Welch's t test there (Biometrika 34, 1947), corrected for all that were suggested (Holm).
    """

    conditions: tuple[Condition, ...]
    place: str
    covers: NDArray[np.bool_]
    size: int
    mean: float
    rest: float
    z: float
    effect: float
    p: float

    @property
    def excess(self) -> float:
        """Badness beyond that of the rest, of all members together."""
        return (self.mean - self.rest) * self.size


def find_slices(
    badness: NDArray[np.float64],
    columns: Mapping[str, Values],
    among: NDArray[np.bool_],
    components: NDArray[np.float32] | None = None,
    rows: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> list[Slice]:
    """Slices of some samples, the greatest excess first.

    Args:
        badness: [n] more is worse; NaN where absent.
        columns: name -> [n] values that rules may be of.
        among: [n] the samples that are looked at: those of one state.
        components: [m, k] of the latent space; None leaves out clusters and balls.
        rows: [m] the samples that these are of.
        seed: of the halves, the clusters and the samples that stand for more.
    """
    looked_at = np.flatnonzero(among & np.isfinite(badness))
    if len(looked_at) < 4 * LEAST_MEMBERS:
        return []
    values = badness[looked_at]
    values = np.minimum(values, np.quantile(values, WINSORISED))
    if values.max() <= values.min():
        return []
    generator = np.random.default_rng(seed)
    half = np.zeros(len(looked_at), bool)
    half[generator.permutation(len(looked_at))[: len(looked_at) // 2]] = True
    singles = Singles(columns, looked_at, half, LEAST_MEMBERS, LARGEST_SLICE)
    ranges = Ranges(columns, looked_at, half, LEAST_MEMBERS, LARGEST_SLICE)
    balls = None
    if components is not None and rows is not None and components.shape[1]:
        singles.add_clusters(components, rows, len(badness), generator)
        balls = Balls(components, rows, looked_at, half, values, LEAST_MEMBERS, generator)
    suggested = _suggested(values, half, columns, singles, ranges, balls, len(badness))
    return _confirmed(values, half, looked_at, suggested, badness)


@dataclass(frozen=True)
class _Suggestion:
    conditions: tuple[Condition, ...]
    place: str
    covers: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    z: float


NOTHING = _Suggestion((), "", np.zeros(0, bool), np.zeros(0, bool), NONE)


def _suggested(
    values: NDArray[np.float64],
    half: NDArray[np.bool_],
    columns: Mapping[str, Values],
    singles: Singles,
    ranges: Ranges,
    balls: Balls | None,
    count: int,
) -> list[_Suggestion]:
    left = values[half].copy()
    pairs = Pairs(singles, half, LEAST_MEMBERS)
    suggested: list[_Suggestion] = []
    while len(suggested) < MOST_SLICES:
        spread = left - left.mean()
        if not spread.any():
            break
        of_singles = singles.z(spread)
        single = _single(spread, of_singles, columns, singles, ranges)
        pair = _pair(pairs.best(spread, of_singles), spread, columns, singles, ranges)
        place = _place(spread, of_singles, singles, balls, count)
        if max(single.z, pair.z - PAIR_MUST_GAIN, place.z - PLACE_MUST_GAIN) < LEAST_Z:
            break
        worth = (
            single.z,
            pair.z - max(PAIR_MUST_GAIN, PAIR_SHARE * pair.z),
            place.z - max(PLACE_MUST_GAIN, PLACE_SHARE * place.z),
        )
        chosen = (single, pair, place)[int(np.argmax(worth))]
        if chosen.place:
            chosen = _without(chosen, suggested)
        suggested.append(chosen)
        covered = chosen.inside[half]
        if not covered.any():
            break
        left[covered] = left[~covered].mean()
    return suggested


def _without(place: _Suggestion, suggested: list[_Suggestion]) -> _Suggestion:
    """A place less what earlier slices hold: its border says nothing, so that nothing is lost by it."""
    covers, inside = place.covers.copy(), place.inside.copy()
    for each in suggested:
        covers &= ~each.covers
        inside &= ~each.inside
    return replace(place, covers=covers, inside=inside)


def _single(
    spread: NDArray[np.float64],
    of_singles: NDArray[np.float64],
    columns: Mapping[str, Values],
    singles: Singles,
    ranges: Ranges,
) -> _Suggestion:
    best = NOTHING
    rules = np.flatnonzero(singles.is_rule)
    if len(rules):
        number = int(rules[of_singles[rules].argmax()])
        condition = singles.rules[number].condition
        assert condition is not None
        inside = singles.inside(number)
        best = _Suggestion((condition,), "", singles.covers(number), inside, float(of_singles[number]))
    found = ranges.best_of_all(spread)
    if found is not None and found[2] > best.z:
        condition, inside, z = found
        best = _Suggestion((condition,), "", condition.covers(columns), inside, z)
    return best


def _pair(
    pair: tuple[int, int, float],
    spread: NDArray[np.float64],
    columns: Mapping[str, Values],
    singles: Singles,
    ranges: Ranges,
) -> _Suggestion:
    """The pair with its ranges drawn finer, each within what the other condition covers."""
    first, second, z = pair
    if z == NONE:
        return NOTHING
    rules = [singles.rules[first].condition, singles.rules[second].condition]
    members = [singles.inside(first), singles.inside(second)]
    for _ in range(2):
        for one, other in ((0, 1), (1, 0)):
            rule = rules[one]
            found = None if rule is None else ranges.best(rule.column, spread, members[other])
            if found is not None and found[2] > z:
                rules[one], _, z = found
                members[one] = _covered(rules[one], columns, singles)
    conditions = tuple(rule for rule in rules if rule is not None)
    covers = conditions[0].covers(columns) & conditions[1].covers(columns)
    return _Suggestion(conditions, "", covers, members[0] & members[1], z)


def _covered(rule: Condition | None, columns: Mapping[str, Values], singles: Singles) -> NDArray[np.bool_]:
    assert rule is not None
    return rule.covers({rule.column: columns[rule.column].of(singles.looked_at)})


def _place(
    spread: NDArray[np.float64], of_singles: NDArray[np.float64], singles: Singles, balls: Balls | None, count: int
) -> _Suggestion:
    """The best cluster or ball."""
    best = NOTHING
    clusters = np.flatnonzero(~singles.is_rule)
    if len(clusters):
        number = int(clusters[of_singles[clusters].argmax()])
        z = float(of_singles[number])
        best = _Suggestion((), "cluster", singles.covers(number), singles.inside(number), z)
    if balls is not None:
        centre, radius, z = balls.best(spread)
        if z > best.z:
            best = _Suggestion((), "ball", balls.covers(centre, radius, count), balls.inside(centre, radius), z)
    return best


def _confirmed(
    values: NDArray[np.float64],
    half: NDArray[np.bool_],
    looked_at: NDArray[np.int64],
    suggested: list[_Suggestion],
    badness: NDArray[np.float64],
) -> list[Slice]:
    from scipy.stats import ttest_ind

    earlier = np.zeros(len(values), bool)
    spread = max(float(values[~half].std()), np.finfo(np.float64).tiny)
    tested: list[tuple[_Suggestion, float, float]] = []
    for each in suggested:
        inside = values[~half & each.inside & ~earlier]
        rest = values[~half & ~each.inside & ~earlier]
        p, effect = 1.0, 0.0
        if len(inside) >= LEAST_MEMBERS and len(rest) >= LEAST_MEMBERS:
            effect = float(inside.mean() - rest.mean()) / spread
            # Where no value varies, there is no doubt either.
            varies = inside.std() > 0 or rest.std() > 0
            p = float(ttest_ind(inside, rest, equal_var=False, alternative="greater").pvalue) if varies else 0.0
        tested.append((each, p, effect))
        if p < LEVEL and effect >= LEAST_EFFECT:
            earlier |= each.inside
    corrected = holm([p for _, p, _ in tested])
    found = []
    for (each, _, effect), p in zip(tested, corrected, strict=True):
        if p < LEVEL and effect >= LEAST_EFFECT:
            inside, rest = badness[looked_at[each.inside]], badness[looked_at[~each.inside]]
            mean, of_rest = float(inside.mean()), float(rest.mean())
            # What is worse than the samples that no slice holds may be as good as all the rest, slices and all.
            # Winsorised, like all that was tested, or a few outliers of the rest would hide it.
            if values[each.inside].mean() - values[~each.inside].mean() >= LEAST_EFFECT * spread:
                found.append(
                    Slice(each.conditions, each.place, each.covers, len(inside), mean, of_rest, each.z, effect, p)
                )
    return sorted(found, key=lambda each: -each.excess)
