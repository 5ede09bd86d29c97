"""How a simulation's samples answer to its parameters, learnt from the trials so far, and what to try because of it."""

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.tune.parameters import Parameters

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEAST_TRIALS = 8
"""Fewer tell too little of how samples answer."""
KEPT_SHARE = 0.75
"""Of the trials, the nearest ones, that are learnt from: what is far away answers in other ways."""
SCORES = 8
"""Directions in which the samples of trials differ most; the kernel is fitted to these."""
ANYWHERE, AROUND, LEADERS = 512, 512, 5
"""Candidates within the bounds, and around each of the best trials."""
SPREADS = (0.02, 0.06, 0.2)
"""Of these, as shares of the bounds."""
MEASURED = 96
"""Candidates whose samples are predicted and measured, a round."""
ROUNDS = 3
APART = 0.01
"""A candidate is another one than a trial where it is this far from it, as a share of the bounds, in the mean."""

Array = NDArray[np.float64]


class Bounds:
    """Parameters as rows of numbers: 0 to 1 between the bounds, or the place among the values."""

    def __init__(self, distributions: "dict[str, BaseDistribution]") -> None:
        self._distributions: dict[str, Any] = distributions
        self._choices = np.array([len(getattr(each, "choices", ())) for each in distributions.values()])

    def rows(self, several: Sequence[Parameters]) -> Array:
        """[n, p]."""
        return np.array([[self._row(name, each[name]) for name in self._distributions] for each in several])

    def _row(self, name: str, value: Any) -> float:
        known = self._distributions[name]
        if hasattr(known, "choices"):
            return float(known.choices.index(value))
        return float((value - known.low) / (known.high - known.low))

    def parameters(self, row: Array) -> Parameters:
        """Of one row."""
        found: Parameters = {}
        for (name, known), value in zip(self._distributions.items(), row.tolist(), strict=True):
            if hasattr(known, "choices"):
                found[name] = known.choices[round(value)]
            elif isinstance(known.low, int):
                found[name] = round(known.low + value * (known.high - known.low))
            else:
                found[name] = float(np.clip(known.low + value * (known.high - known.low), known.low, known.high))
        return found

    def features(self, rows: Array) -> Array:
        """[n, q]: a column a number, and one a value of a text."""
        columns = []
        for column, choices in zip(rows.T, self._choices, strict=True):
            columns += [column] if not choices else [(column == place).astype(float) for place in range(choices)]
        return np.stack(columns, axis=1)

    def drawn(self, count: int, generator: np.random.Generator) -> Array:
        """[count, p] from everywhere within the bounds."""
        rows = generator.random((count, len(self._choices)))
        return self._snapped(np.where(self._choices > 0, np.floor(rows * self._choices), rows))

    def around(self, rows: Array, count: int, spreads: Sequence[float], generator: np.random.Generator) -> Array:
        """[count, p] near some; texts stay but for one in ten."""
        shape = (count, len(self._choices))
        middle = rows[generator.integers(len(rows), size=count)]
        moved = middle + generator.normal(size=shape) * generator.choice(spreads, size=(count, 1))
        other = np.floor(generator.random(shape) * self._choices)
        texts = np.where(generator.random(shape) < 0.1, other, middle)
        return self._snapped(np.where(self._choices > 0, texts, np.clip(moved, 0, 1)))

    def _snapped(self, rows: Array) -> Array:
        for column, known in enumerate(self._distributions.values()):
            if isinstance(getattr(known, "low", None), int):
                steps = known.high - known.low
                rows[:, column] = np.round(rows[:, column] * steps) / steps
        return rows


class Response:
    """Predicts the samples of parameters that were not tried.

    Every trial has the same seed, and so sample i of one trial is sample i of each other one, seen with other
    parameters: each of its components is a function of the parameters alone. A Gaussian process with a linear and a
    smooth part, of the same kernel for all of them (Rasmussen and Williams, "Gaussian Processes for Machine Learning",
    2006, chapters 2 and 5), predicts it as a weighted sum of what the trials gave. What is made small is then measured
    on the predicted samples, as it would be on made ones: far less has to be learnt than of the value itself (Astudillo
    and Frazier, "Bayesian optimization of composite functions", ICML 2019).

    Args:
        features: [t, q] of the trials.
        made: [t, n, D] their samples' components.
    """

    def __init__(self, features: Array, made: Array) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
        from threadpoolctl import threadpool_limits

        self._features, self._shape = features, made.shape[1:]
        flat = made.reshape(len(made), -1)
        self._mean = flat.mean(axis=0)
        self._flat = flat - self._mean
        # Turned into the trials' own space the outputs are few: what they vary most in comes first.
        variances, directions = np.linalg.eigh(self._flat @ self._flat.T)
        scores = directions[:, ::-1] * np.sqrt(np.maximum(variances[::-1], 0))
        scores = scores[:, :SCORES]
        scale = max(float(np.sqrt(np.square(scores).mean())), np.finfo(np.float64).tiny)
        kernel = (
            ConstantKernel(1.0, (1e-2, 1e2)) * DotProduct(1.0, (1e-3, 1e1))
            + ConstantKernel(1.0, (1e-3, 1e3)) * RBF(np.full(features.shape[1], 0.7), (0.1, 10.0))
            + WhiteKernel(1e-2, (1e-5, 0.3))
        )
        # Matrices this small take longer on several threads, and sums come in another order.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a length that lies at its bound is no news
            fitted = GaussianProcessRegressor(kernel, random_state=0).fit(features, scores / scale)
        self._kernel, self._cholesky = fitted.kernel_, fitted.L_

    def weights(self, features: Array) -> Array:
        """[k, t] of the trials in the prediction of each of [k, q]."""
        from scipy.linalg import cho_solve

        return np.asarray(cho_solve((self._cholesky, True), self._kernel(self._features, features))).T

    def means(self, weights: Array) -> Array:
        """[k, D] the means of predicted samples."""
        own = self._flat.reshape(len(self._flat), *self._shape).mean(axis=1)
        return np.asarray(weights @ own + self._mean.reshape(self._shape).mean(axis=0))

    def samples(self, weights: Array) -> Array:
        """[n, D] the predicted samples, by [t] weights."""
        return np.asarray(weights @ self._flat + self._mean).reshape(self._shape)


def proposed(
    bounds: Bounds,
    tried: Sequence[Parameters],
    values: Sequence[float],
    made: Sequence[NDArray[np.floating]],
    pending: Sequence[Parameters],
    value_of: Callable[[Array], float],
    centre: Array,
    seed: int,
) -> Parameters | None:
    """The parameters whose predicted samples have the least value; None where there are too few trials to tell.

    Args:
        tried: the parameters of t trials.
        values: [t] theirs.
        made: [t] their samples' components, [n, D] each.
        pending: parameters that are tried now.
        value_of: of [n, D] components.
        centre: [D] the target's mean, which decides whose samples are worth predicting.
    """
    if len(tried) < LEAST_TRIALS:
        return None
    generator = np.random.default_rng(seed)
    order = np.argsort(values, kind="stable")
    near = np.sort(order[: max(LEAST_TRIALS, int(np.ceil(KEPT_SHARE * len(order))))])
    rows = bounds.rows(tried)
    response = Response(bounds.features(rows[near]), np.stack([np.asarray(made[place], np.float64) for place in near]))
    taken = np.concatenate([rows, bounds.rows(pending)]) if pending else rows
    leaders = rows[order[:LEADERS]]
    best: tuple[float, Array] | None = None
    for turn in range(ROUNDS):
        spreads = tuple(spread / 2**turn for spread in SPREADS)
        candidates = bounds.around(leaders, AROUND, spreads, generator)
        if not turn:
            candidates = np.concatenate([candidates, bounds.drawn(ANYWHERE, generator)])
        apart = np.sqrt(np.square(candidates[:, None] - taken).mean(axis=2)).min(axis=1)
        candidates = candidates[apart > APART]
        if not len(candidates):
            break
        weights = response.weights(bounds.features(candidates))
        away = np.linalg.norm(response.means(weights) - centre, axis=1)
        first = np.argsort(away, kind="stable")[:MEASURED]
        found = np.array([value_of(response.samples(weights[place])) for place in first])
        lead = first[np.argsort(found, kind="stable")]
        if best is None or found.min() < best[0]:
            best = float(found.min()), candidates[lead[0]]
        leaders = np.concatenate([best[1][None], candidates[lead[: LEADERS - 1]]])
    return None if best is None else bounds.parameters(best[1])
