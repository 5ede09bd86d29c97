"""A linear head that is trained on what is chosen to label, or kept in pruning, against as many random samples.

Two settings: pixels of digits, whose loss is predicted by a head of 250 labels, and photographs in the latent space of
their network, whose loss is predicted by that network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Figure, watch
from benchmarks.runs import CIFAR10, evaluated
from data_access.root import data_root
from leaplab.analysis.clustering import cluster
from leaplab.analysis.components import standard_components
from leaplab.analysis.labelling import Pool, choose
from leaplab.analysis.pruning import Crowd, prune
from leaplab.population.population import open_population

POOLS = 8
FIRST_POOL = 100
"""Seed of the first pool. The weight that the loss has was picked on pools 0 to 3, which flatter it."""
STARTS = 5
"""Seeds of a pruning."""
RANDOM_SEEDS = 20
SHARES = (0.05, 0.1, 0.2)
KEPT = (0.1, 0.3, 0.5)
BASE = 250
"""Labels that the head of the digits' predicted loss has, and as many that it is judged on."""
DIGITS, PHOTOGRAPHS = 2_000, 4_000
"""Samples of a pool."""
LEAST_GAIN = {("digits", 0.05): 2.0}
"""Points of accuracy above random that a list has to reach; 0 elsewhere."""
MOST_LOSS = 0.5
"""Points below random that pruning may lose."""
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """Samples to choose from, and what a head that is trained on some of them is judged by.

    Attributes:
        vectors: [n, W].
        labels: [n].
        predicted: [n] predicted loss.
        held: [m, W] others.
        truth: [m] their labels.
        strength: C of the logistic regression.
    """

    vectors: NDArray[np.float32]
    labels: Rows
    predicted: NDArray[np.float64]
    held: NDArray[np.float32]
    truth: Rows
    strength: float

    def accuracy(self, rows: Rows) -> float:
        """In per cent, of a head trained on these samples."""
        return 100 * float(
            (_head(self.vectors[rows], self.labels[rows], self.strength, self.held).argmax(1) == self.truth).mean()
        )


def run() -> list[Figure]:
    """Lists and pruning against random on both settings, and the time of a large list."""
    figures: list[Figure] = []
    for name, make in (("digits", _digits), ("photographs", _photographs)):
        settings = [make(FIRST_POOL + number) for number in range(POOLS)]
        for share in SHARES:
            figures += _labelled(name, settings, share)
        for share in KEPT:
            figures.append(_pruned(name, settings, share))
    whole = watch(["-c", WHOLE])
    seconds, pairs = whole.output.split()[-2:]
    return [
        *figures,
        Figure("list of 1,000 of 100,000 x 512, processor time", float(seconds), "s", 30),
        Figure("its peak memory", whole.peak_bytes / 2**30, "GiB"),
        Figure("near-duplicates in it", float(pairs), "", 1),
    ]


def _labelled(name: str, settings: list[Setting], share: float) -> list[Figure]:
    budget = round(share * len(settings[0].labels))
    randoms = [_random(each, budget, seed) for seed, each in enumerate(settings)]
    figures = [Figure(f"{name}: {budget} random labels, accuracy", float(np.mean(randoms)), "%")]
    for method, chosen in METHODS.items():
        gains = [each.accuracy(chosen(each, budget)) - random for each, random in zip(settings, randoms, strict=True)]
        bound = -LEAST_GAIN.get((name, share), 0.0) if method == "leaplab" else None
        figures.append(
            Figure(f"{name}: {budget} labels, {method}: below random", -float(np.mean(gains)), "points", bound)
        )
    return figures


def _pruned(name: str, settings: list[Setting], share: float) -> Figure:
    keep = round(share * len(settings[0].labels))
    below = []
    for seed, each in enumerate(settings):
        found = cluster(each.vectors)
        crowd = Crowd(each.vectors, found.numbers, found.distances)
        kept = [each.accuracy(prune(crowd, keep, seed=start).kept) for start in range(STARTS)]
        below.append(_random(each, keep, seed) - float(np.mean(kept)))
    return Figure(f"{name}: {keep} kept: below random", float(np.mean(below)), "points", MOST_LOSS)


def _random(setting: Setting, budget: int, seed: int) -> float:
    generator = np.random.default_rng(1000 + seed)
    lists = [generator.permutation(len(setting.labels))[:budget] for _ in range(RANDOM_SEEDS)]
    return float(np.mean([setting.accuracy(rows) for rows in lists]))


def _by_leaplab(setting: Setting, budget: int) -> Rows:
    return choose(Pool(setting.vectors, setting.predicted), budget).places


def _by_samples(setting: Setting, budget: int) -> Rows:
    """Each sample weighted by its own predicted loss: the recipe before this one."""
    from leaplab.analysis.covering import cover

    found = cover(standard_components(setting.vectors), setting.predicted, budget)
    order = np.argsort(found.distances, kind="stable")
    return order[np.unique(found.numbers[order], return_index=True)[1]]


def _by_coverage(setting: Setting, budget: int) -> Rows:
    return choose(Pool(setting.vectors), budget).places


def _by_centres(setting: Setting, budget: int) -> Rows:
    """k-centre greedy: the farthest from what is chosen (Gonzalez, Theor. Comput. Sci. 38, 1985)."""
    components = standard_components(setting.vectors).astype(np.float64)
    chosen = [int(np.linalg.norm(components, axis=1).argmin())]
    away = np.linalg.norm(components - components[chosen[0]], axis=1)
    while len(chosen) < budget:
        chosen.append(int(away.argmax()))
        away = np.minimum(away, np.linalg.norm(components - components[chosen[-1]], axis=1))
    return np.array(chosen)


def _by_loss(setting: Setting, budget: int) -> Rows:
    return np.argsort(-setting.predicted, kind="stable")[:budget]


METHODS: dict[str, Callable[[Setting, int], Rows]] = {
    "leaplab": _by_leaplab,
    "weighted sample by sample": _by_samples,
    "without predicted loss": _by_coverage,
    "k-centre greedy": _by_centres,
    "highest predicted loss": _by_loss,
}


def _digits(seed: int) -> Setting:
    generator = np.random.default_rng(seed)
    with np.load(data_root() / "mnist" / "mnist.npz") as file:
        training, held = (file[name].reshape(-1, 784).astype(np.float32) / 255 for name in ("x_train", "x_test"))
        labels, truth = (file[name].astype(np.int64) for name in ("y_train", "y_test"))
    pool = generator.permutation(len(training))[:DIGITS]
    others = generator.permutation(len(held))
    base, judged, rest = others[:BASE], others[BASE : 2 * BASE], others[2 * BASE :]
    of_judged, of_pool = (_head(held[base], truth[base], 1.0, asked) for asked in (held[judged], training[pool]))
    predicted = _predicted(of_judged, truth[judged], of_pool)
    return Setting(training[pool], labels[pool], predicted, held[rest], truth[rest], 1.0)


def _photographs(seed: int) -> Setting:
    population = open_population(evaluated(CIFAR10))
    store, states = population.store, np.array(population.states, object)
    prediction = store.manifest.predictions[0].name
    truths, probabilities = (
        store.stored("ground_truths", next(iter(store.ground_truths()))),
        store.stored("predictions", prediction),
    )
    assert truths is not None
    assert probabilities is not None
    labels, vectors = truths.argmax(axis=1), population.vectors().values
    validation, test = np.flatnonzero(states == "validation"), np.flatnonzero(states == "test")
    test = np.random.default_rng(seed).permutation(test)
    pool, rest = test[:PHOTOGRAPHS], test[PHOTOGRAPHS:]
    predicted = _predicted(probabilities[validation], labels[validation], probabilities[pool])
    vectors = (vectors - vectors[pool].mean(axis=0)) / np.maximum(vectors[pool].std(axis=0), 1e-6)
    return Setting(vectors[pool], labels[pool], predicted, vectors[rest], labels[rest], 0.01)


def _predicted(known: NDArray[np.floating], truth: Rows, asked: NDArray[np.floating]) -> NDArray[np.float64]:
    """[n] the loss that probabilities let expect: an isotonic function of their entropy."""
    from scipy.stats import entropy
    from sklearn.isotonic import IsotonicRegression

    losses = -np.log(np.maximum(known[np.arange(len(truth)), truth], 1e-9))
    fitted = IsotonicRegression(out_of_bounds="clip").fit(entropy(known, axis=1), losses)
    return np.asarray(fitted.predict(entropy(asked, axis=1)), np.float64)


def _head(
    vectors: NDArray[np.float32], labels: Rows, strength: float, asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """[n, 10] probabilities; those of classes that it has not seen are 0."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=100).fit(vectors, labels)
    probabilities = np.zeros((len(asked), 10))
    probabilities[:, model.classes_] = model.predict_proba(asked)
    return probabilities


WHOLE = """
import time
import numpy as np
from leaplab.analysis.labelling import Pool, choose, coverage

generator = np.random.default_rng(0)
centres = 2 * generator.normal(size=(50, 512))
vectors = (centres[generator.integers(0, 50, 100_000)] + generator.normal(size=(100_000, 512))).astype(np.float32)
pool = Pool(vectors, generator.exponential(size=100_000))
started = time.process_time()
chosen = choose(pool, 1_000)
seconds = time.process_time() - started
print(seconds, coverage(pool, chosen, chosen.places).near_pairs)
"""
