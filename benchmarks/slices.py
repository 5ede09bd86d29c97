"""Slices that are planted into real columns and vectors: how many are found, and what is found where there are none.

Side by side with a decision tree on the same seeds, and with sliceline where it is installed.
"""

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Figure
from benchmarks.runs import CIFAR10, evaluated
from leaplab.analysis.differences import Values
from leaplab.analysis.insight.samples import Samples
from leaplab.analysis.slices import find_slices
from leaplab.population.population import open_population
from leaplab.population.samples import choose

SAMPLES = 15_000
SEEDS = 20
FOUND = 0.5
"""Jaccard index of a planted slice and one that is reported."""
SMALLEST, LARGEST = 0.01, 0.1
"""Share of the samples that a planted slice has."""
STRENGTH = 1.0
"""By how many standard deviations of the loss the members of a planted slice are worse."""


def run() -> list[Figure]:
    """Planted slices on the run of CIFAR-10, with a loss that is permuted and with the real one."""
    samples = choose(open_population(evaluated(CIFAR10))).samples
    figures: list[Figure] = []
    methods: dict[str, Callable[..., list[NDArray[np.bool_]]]] = {"leaplab": _leaplab, "decision tree": _tree}
    if importlib.util.find_spec("sliceline"):
        methods["sliceline"] = _sliceline
    for base in ("permuted", "real"):
        for name, method in methods.items():
            first_three = anywhere = 0
            started = time.perf_counter()
            for seed in range(SEEDS):
                rows, loss, planted = _planted(samples, seed, permute=base == "permuted")
                reported = [_jaccard(each, planted) >= FOUND for each in method(samples, rows, loss)]
                first_three += any(reported[:3])
                anywhere += any(reported)
            seconds = (time.perf_counter() - started) / SEEDS
            of = f"{name}, {base} base: of {SEEDS} planted slices"
            is_ours = name == "leaplab"
            figures += [
                Figure(
                    f"{of} not in the first three",
                    SEEDS - first_three,
                    "",
                    2.5 if is_ours and base == "permuted" else None,
                ),
                Figure(f"{of} not in the list", SEEDS - anywhere, "", 4.5 if is_ours and base == "real" else None),
                Figure(f"{name}, {base} base: {SAMPLES:,} samples", seconds, "s"),
            ]
    nulls = sum(bool(_leaplab(samples, *_null(samples, seed))) for seed in range(SEEDS))
    figures.append(Figure(f"{SEEDS} permuted losses: a slice is reported of", nulls, "", 1.5))
    figures.append(Figure("slices of 100,000 x 512 and 50 columns", _large(), "s", 30))
    return figures


def _null(samples: Samples, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows, loss, _ = _planted(samples, seed, permute=True, strength=0)
    return rows, loss


def _planted(
    samples: Samples, seed: int, permute: bool, strength: float = STRENGTH
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Rows, a loss of these, and which of them are worse: those of a range, a category, two of these, or a ball."""
    generator = np.random.default_rng(1000 + seed)
    assert samples.score is not None
    known = np.flatnonzero(np.isfinite(samples.score.badness))
    rows = np.sort(generator.permutation(known)[:SAMPLES])
    loss = samples.score.badness[rows].copy()
    if permute:
        loss = generator.permutation(loss)
    size = int(generator.uniform(0.02, 0.06) * len(rows))
    planted = np.zeros(len(rows), bool)
    while not SMALLEST <= planted.mean() <= LARGEST:  # a column may hold one value so often that no range is small
        planted = _drawn(samples, seed % 4, rows, size, generator)
    loss[planted] += strength * loss.std()
    return rows, loss, planted


def _drawn(
    samples: Samples, kind: int, rows: NDArray[np.int64], size: int, generator: np.random.Generator
) -> NDArray[np.bool_]:
    numbers = [name for name, each in samples.columns.items() if each.categories is None]
    categories = [name for name, each in samples.columns.items() if each.categories is not None]
    if kind == 0:
        return _range(samples.columns[numbers[generator.integers(len(numbers))]].numbers[rows], size, generator)
    if kind == 1:
        column = samples.columns[numbers[generator.integers(len(numbers))]].numbers[rows]
        category = _category(samples.columns[categories[generator.integers(len(categories))]].numbers[rows], generator)
        return category & _range(column, int(len(rows) * 0.35), generator)
    if kind == 2:
        one, other = generator.choice(len(numbers), 2, replace=False)
        ranges = [_range(samples.columns[numbers[each]].numbers[rows], int(len(rows) * 0.25), generator)
                  for each in (one, other)]  # fmt: skip
        return ranges[0] & ranges[1]
    assert samples.space is not None
    vectors = samples.space.components[np.searchsorted(samples.space.rows, rows)]
    distances = np.linalg.norm(vectors - vectors[generator.integers(len(rows))], axis=1)
    return np.asarray(distances <= np.sort(distances)[size])


def _range(numbers: NDArray[np.float64], size: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    order = np.argsort(numbers, kind="stable")
    first = int(generator.integers(0, len(order) - size))
    low, high = numbers[order[first]], numbers[order[first + size]]
    return np.asarray((numbers >= low) & (numbers <= high))


def _category(codes: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.bool_]:
    return np.asarray(codes == generator.choice(np.unique(codes[np.isfinite(codes)])))


def _jaccard(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _leaplab(samples: Samples, rows: NDArray[np.int64], loss: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    assert samples.space is not None
    columns = {name: Values(each.numbers[rows], each.categories) for name, each in samples.columns.items()}
    components = samples.space.components[np.searchsorted(samples.space.rows, rows)]
    everything = np.ones(len(rows), bool)
    return [each.covers for each in find_slices(loss, columns, everything, components, np.arange(len(rows)))]


def _table(samples: Samples, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.nan_to_num(np.array([each.numbers[rows] for each in samples.columns.values()]).T, nan=-1))


def _tree(samples: Samples, rows: NDArray[np.int64], loss: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """The leaves of a regression tree, the worst first."""
    from sklearn.tree import DecisionTreeRegressor

    table = _table(samples, rows)
    tree = DecisionTreeRegressor(max_leaf_nodes=30, min_samples_leaf=30, random_state=0).fit(table, loss)
    leaves = tree.apply(table)
    excess = {leaf: (loss[leaves == leaf] - loss.mean()).sum() for leaf in np.unique(leaves)}
    return [leaves == leaf for leaf in sorted(excess, key=lambda leaf: -excess[leaf])[:30]]


def _sliceline(samples: Samples, rows: NDArray[np.int64], loss: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """sliceline at depth 2 on quantile bins."""
    slicefinder: Any = importlib.import_module("sliceline.slicefinder")
    table = _table(samples, rows)
    binned = np.array(
        [np.searchsorted(np.unique(np.quantile(each, np.linspace(0, 1, 11)[1:-1])), each, "right") for each in table.T]
    ).T
    finder = slicefinder.Slicefinder(alpha=0.95, k=30, max_l=2, min_sup=30, verbose=False).fit(
        binned, loss - loss.min()
    )
    found = []
    for rule in finder.top_slices_:
        inside = np.ones(len(rows), bool)
        for column, value in enumerate(rule):
            if value is not None:
                inside &= binned[:, column] == value
        found.append(inside)
    return found


def _large() -> float:
    generator = np.random.default_rng(0)
    count = 100_000
    columns = {f"metadata.number_{k}": Values(generator.normal(size=count)) for k in range(40)}
    columns |= {
        f"metadata.kind_{k}": Values(generator.integers(0, 20, count).astype(float), [f"c{c}" for c in range(20)])
        for k in range(10)
    }
    components = generator.normal(size=(count, 32)).astype(np.float32)
    loss = generator.exponential(size=count) + 1.0 * (columns["metadata.kind_0"].numbers == 3)
    started = time.perf_counter()
    find_slices(loss, columns, np.ones(count, bool), components, np.arange(count))
    return time.perf_counter() - started
