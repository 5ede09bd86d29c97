"""Whether two populations differ, by how much, and in which columns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order
from leaplab.analysis.corrections import holm
from leaplab.analysis.differences import Values
from leaplab.analysis.numerals import numeral
from leaplab.analysis.whitening import fit_whitening

MOST = 2_000
"""Samples of a population that are compared."""
PERMUTATIONS = 499
DIGITS = 9
"""Of a statistic, as a share of its greatest."""
EXACT = 10_000
"""Pairs of samples up to which a Kolmogorov-Smirnov p is exact."""
LEAST_EXPECTED = 5
"""Samples of each category and population that the chi-squared distribution takes (Cochran 1954)."""
MOST_TABLES, MOST_CELLS = 9_999, 2_000_000
"""That are drawn where there are fewer."""
FOLDS = 5
REGULARISATION = 0.1
"""C of the logistic regression, on whitened components."""
CONFIDENCE = 1.96
"""Standard errors of an interval of 95 %."""


@dataclass(frozen=True)
class GapTest:
    """Whether two populations differ.

    Attributes:
        p: of both statistics together; at least 1 / (permutations + 1), mostly twice that, since each of the statistics
            has a permutation that is its greatest.
        energy: energy distance, 0 or more.
        moments: squared difference of second moments, 0 or more.
        energy_p: of the energy distance alone.
        moments_p: of the second moments alone.
    """

    p: float
    energy: float
    moments: float
    energy_p: float
    moments_p: float


@dataclass(frozen=True)
class Separation:
    """How well two populations can be told apart.

    Attributes:
        auc: area under the curve of ROC, .5 where they cannot be told apart.
        low: of its interval of 95 %, in [0, 1].
        high: likewise.
        nearness: [n + m] log-odds of being of the second population, by a model that has not seen the sample.
        others: [k] the same of further samples, a mean over the models.
    """

    auc: float
    low: float
    high: float
    nearness: NDArray[np.float64]
    others: NDArray[np.float64]


@dataclass(frozen=True)
class ColumnGap:
    """A column in which two populations differ.

    Attributes:
        column: its name.
        type: `number` or `category`.
        effect: Kolmogorov-Smirnov distance of numbers, Cramer's V of categories, in [0, 1].
        p: corrected for all columns (Holm).
        source: mean of the first population, or {category: share}.
        target: the same of the second.
        shift: of a number, by how many standard deviations of the second population the first one's mean lies above
            its mean; None for a category, and where the second is constant.
    """

    column: str
    type: str
    effect: float
    p: float
    source: float | dict[str, float]
    target: float | dict[str, float]
    shift: float | None

    def told(self) -> tuple[str, str]:
        """What stands for either population, in a few words: a mean, or the share of the category that parts them."""
        if isinstance(self.source, dict) and isinstance(self.target, dict):
            source, target = self.source, self.target
            parting = max(source, key=lambda category: abs(source[category] - target[category]))
            return f"{parting}: {source[parting]:.0%}", f"{parting}: {target[parting]:.0%}"
        assert not isinstance(self.source, dict)
        assert not isinstance(self.target, dict)
        return numeral(self.source), numeral(self.target)


def drawn(vectors: NDArray[np.floating], most: int = MOST, seed: int = 0) -> NDArray[np.int64]:
    """Rows of a seeded sample of at most so many, by what they hold and not by their order."""
    order = canonical_order(vectors)
    if len(order) <= most:
        return order
    return np.sort(order[np.random.default_rng(seed).choice(len(order), most, replace=False)])


def pooled_components(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The whitened first 32 principal components of [n, W] and [m, W] vectors together, see `fit_whitening`."""
    whitening = fit_whitening(np.concatenate([source, target]))
    return whitening.of(source), whitening.of(target)


def gap_test(
    source: NDArray[np.floating], target: NDArray[np.floating], permutations: int = PERMUTATIONS, seed: int = 0
) -> GapTest:
    """Test whether two populations are drawn from one distribution.

    Energy distance (Szekely and Rizzo, J. Stat. Plan. Inference 143, 2013), which sees a shift, and the squared
    Frobenius norm of the difference of second moments, which sees a few samples that are far away. Both are permuted
    together, and the smaller of their p-values is judged by the same permutations (min-p: Westfall and Young,
    "Resampling-based multiple testing", 1993), so that the level is exact.

    Args:
        source: [n, D] finite, n >= 2; see `pooled_components` and `drawn`.
        target: [m, D] finite, m >= 2.
    """
    pool = np.concatenate([source, target]).astype(np.float64)
    total, count = len(pool), len(source)
    generator = np.random.default_rng(seed)
    chosen = np.zeros((total, permutations + 1))
    chosen[:count, 0] = 1
    for column in range(1, permutations + 1):
        chosen[generator.permutation(total)[:count], column] = 1
    energy = _energies(pool, chosen, count)
    moments = _moments(pool, chosen, count)
    p = np.stack([_upper_shares(energy), _upper_shares(moments)])
    least = p.min(axis=0)
    both = float((least <= least[0]).mean())
    return GapTest(both, float(max(energy[0], 0)), float(moments[0]), float(p[0, 0]), float(p[1, 0]))


def _energies(pool: NDArray[np.float64], chosen: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """[permutations] 2 E|X - Y| - E|X - X'| - E|Y - Y'|."""
    squared = np.einsum("nd,nd->n", pool, pool)
    distances = pool @ pool.T
    distances *= -2
    distances += squared[:, None]
    distances += squared
    np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
    np.fill_diagonal(distances, 0)
    rest = len(pool) - count
    sums = distances.sum(axis=1)
    within = np.einsum("np,np->p", distances @ chosen, chosen)
    between = sums @ chosen - within
    among_rest = sums.sum() - 2 * between - within
    return np.asarray(2 * between / (count * rest) - within / count**2 - among_rest / rest**2)


def _moments(pool: NDArray[np.float64], chosen: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """[permutations] |E XX' - E YY'|^2, Frobenius."""
    first, second = np.triu_indices(pool.shape[1])
    products = pool[:, first] * pool[:, second]
    # Off the diagonal an entry stands twice in the norm.
    products *= np.where(first == second, 1, np.sqrt(2))
    sums = chosen.T @ products
    rest = len(pool) - count
    return np.asarray(np.square(sums / count - (products.sum(axis=0) - sums) / rest).sum(axis=1))


def _upper_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[k] the share of k values that are at least as large as each; what rounding alone parts is equal."""
    rounded = np.round(values / max(np.abs(values).max(), np.finfo(np.float64).tiny), DIGITS)
    return np.asarray(1 - np.searchsorted(np.sort(rounded), rounded, side="left") / len(values))


def separation(
    source: NDArray[np.floating],
    target: NDArray[np.floating],
    seed: int = 0,
    others: NDArray[np.floating] | None = None,
) -> Separation:
    """How well a logistic regression tells two populations apart, on samples that it was not fitted on.

    Five folds, with both populations weighted alike. The interval is by DeLong, DeLong and Clarke-Pearson (Biometrics
    44, 1988), of one curve; it is no test of a gap, see `gap_test`.

    Args:
        source: [n, D] finite, n >= 5; see `pooled_components`.
        target: [m, D] finite, m >= 5.
        others: [k, D] finite, of samples that are in neither; None has none.
    """
    from scipy.stats import rankdata
    from sklearn.linear_model import LogisticRegression

    count, other = len(source), len(target)
    pool = np.concatenate([source, target]).astype(np.float64)
    truth = np.repeat([0, 1], [count, other])
    generator = np.random.default_rng(seed)
    folds = np.concatenate([generator.permutation(size) % FOLDS for size in (count, other)])
    nearness, of_others = np.zeros(len(pool)), np.zeros(0 if others is None else len(others))
    if pool.shape[1]:
        for fold in range(FOLDS):
            held = folds == fold
            model = LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=1000)
            nearness[held] = model.fit(pool[~held], truth[~held]).decision_function(pool[held])
            if others is not None and len(others):
                of_others += model.decision_function(others) / FOLDS
    ranks = rankdata(nearness)
    above = (ranks[count:] - rankdata(nearness[count:])) / count
    below = 1 - (ranks[:count] - rankdata(nearness[:count])) / other
    auc = float(above.mean())
    error = float(np.sqrt(above.var(ddof=1) / other + below.var(ddof=1) / count))
    low, high = auc - CONFIDENCE * error, auc + CONFIDENCE * error
    return Separation(auc, max(low, 0.0), min(high, 1.0), nearness, of_others)


def column_gaps(
    columns: Mapping[str, Values], source: NDArray[np.bool_], target: NDArray[np.bool_], level: float = 0.05
) -> list[ColumnGap]:
    """The columns in which two populations differ, the largest effect first.

    Numbers by the two-sample Kolmogorov-Smirnov test, categories by Pearson's chi-squared test with Cramer's V
    ("Mathematical Methods of Statistics", 1946), its p by drawn tables of the same margins where a category is rare
    (Patefield, Appl. Stat. 30, 1981); corrected for all columns (Holm). Samples without a value do not count in a
    column; a column that one population lacks is left out.

    Args:
        columns: name -> [n] values.
        source: [n] whether a sample is of the first population.
        target: [n] of the second.
    """
    tried = []
    for name, values in columns.items():
        pair = values.numbers[source], values.numbers[target]
        first, second = (part[np.isfinite(part)] for part in pair)
        if len(first) and len(second):
            tried.append(
                _numbers(name, first, second) if values.categories is None else _categories(name, values, first, second)
            )
    corrected = holm([each.p for each in tried])
    found = [replace(each, p=p) for each, p in zip(tried, corrected, strict=True) if p < level]
    return sorted(found, key=lambda each: (-each.effect, each.column))


def centroid_distance(source: NDArray[np.floating], target: NDArray[np.floating]) -> float:
    """Euclidean distance of the means of [n, D] and [m, D] vectors."""
    return float(np.linalg.norm(source.mean(axis=0) - target.mean(axis=0)))


def _numbers(name: str, source: NDArray[np.float64], target: NDArray[np.float64]) -> ColumnGap:
    from scipy.stats import ks_2samp

    source, target = np.sort(source), np.sort(target)  # no order of the samples decides how a mean is rounded
    found = ks_2samp(source, target, method="exact" if len(source) * len(target) <= EXACT else "asymp")
    means, spread = (float(source.mean()), float(target.mean())), float(target.std())
    shift = (means[0] - means[1]) / spread if spread > 0 else None
    return ColumnGap(name, "number", float(found.statistic), float(found.pvalue), *means, shift)


def _categories(name: str, values: Values, source: NDArray[np.float64], target: NDArray[np.float64]) -> ColumnGap:
    assert values.categories is not None
    counts = np.stack([np.bincount(p.astype(np.int64), minlength=len(values.categories)) for p in (source, target)])
    occurring = np.flatnonzero(counts.sum(axis=0))
    counts = counts[:, occurring]
    sizes = counts.sum(axis=1)
    expected = sizes[:, None] * counts.sum(axis=0) / sizes.sum()
    statistic = float((np.square(counts - expected) / expected).sum())
    p = _p_of_categories(statistic, counts.sum(axis=0), sizes, expected) if len(occurring) > 1 else 1.0
    shares = [
        {values.categories[code]: float(count / size) for code, count in zip(occurring.tolist(), row, strict=True)}
        for row, size in zip(counts, sizes, strict=True)
    ]
    return ColumnGap(name, "category", float(np.sqrt(statistic / sizes.sum())), p, shares[0], shares[1], None)


def _p_of_categories(
    statistic: float, of_all: NDArray[np.int64], sizes: NDArray[np.int64], expected: NDArray[np.float64]
) -> float:
    """Of a chi-squared statistic; where categories are rare, by tables that are drawn with the same margins."""
    from scipy.stats import chi2

    if expected.min() >= LEAST_EXPECTED:
        return float(chi2.sf(statistic, len(of_all) - 1))
    tables = min(MOST_TABLES, MOST_CELLS // len(of_all))
    drawn_counts = np.random.default_rng(0).multivariate_hypergeometric(of_all, sizes[0], tables)
    # A table's two rows lie as far from what is expected of each.
    away = np.square(drawn_counts - expected[0]) @ (1 / expected).sum(axis=0)
    return float((1 + (away >= statistic * (1 - 1e-9)).sum()) / (tables + 1))
