"""Predicted losses against what came true: of photographs whose labels the run does not have, and out of fold."""

import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Figure, watch
from benchmarks.runs import CIFAR10, FRAMES, REAL_FRAMES, RUNS, TOTES, evaluated, forget
from leaplab.analysis.conformal import expected_losses
from leaplab.population.population import Population, open_population
from leaplab.population.predicted_loss import PredictedLoss, predicted_loss_of

CACHED = "predicted loss"
SPEARMAN = {FRAMES: 0.60, TOTES: 0.80, REAL_FRAMES: 0.38}
"""Run of a detector or segmenter -> the least rank correlation, out of fold on validation."""
LEAST_AUROC, MOST_OFF, COVERAGE, MOST_OFF_COVERAGE = 0.87, 0.10, 0.90, 0.02
UNLIKE = 0.80
"""Share of the generated frames that have to be without an interval."""
SYNTHETIC = 20
"""Seeds of skewed losses whose coverage is known."""
LARGE = """
import time
import numpy as np
from leaplab.analysis.differences import Values
from leaplab.analysis.predicted_loss import features, regression_ranking

generator, count = np.random.default_rng(0), 100_000
vectors = generator.normal(size=(count, 512)).astype(np.float32)
columns = {f"n{place}": Values(generator.normal(size=count)) for place in range(40)}
loss = np.exp(vectors[:, 0] + columns["n0"].numbers + generator.normal(size=count))
started = time.perf_counter()
known, more, asked = np.arange(5_000), np.arange(5_000, 70_000), np.arange(70_000, count)
regression_ranking(features(vectors, columns, known), loss, known, asked, more)
print(time.perf_counter() - started)
"""


def run() -> list[Figure]:
    """The photographs' hidden labels, rank correlations of the detectors, unlike frames, coverage, and time."""
    figures = [*_photographs(), *_coverage()]
    for name, least in SPEARMAN.items():
        answer = _fresh(name, "validation")
        figures += [
            Figure(f"{name}: 1 - Spearman of predicted and real loss", 1 - answer.skill.spearman, "", 1 - least),
            Figure(f"{name}: coverage, off {COVERAGE}", abs(answer.skill.coverage - COVERAGE), ""),
        ]
    unlike = _fresh(FRAMES, "additional")
    figures.append(Figure("generated frames with an interval, share", 1 - unlike.withheld_share, "", 1 - UNLIKE))
    unlabeled = _fresh(FRAMES, "unlabeled")
    figures.append(Figure("frames of the target with an interval, share", 1 - unlabeled.withheld_share, ""))
    large = watch(["-c", LARGE])
    return [
        *figures,
        Figure("regressions of 100,000 x 512 and 40 columns", float(large.output.split()[-1]), "s"),
        Figure("its peak memory", large.peak_bytes / 2**30, "GiB"),
    ]


def _fresh(name: str, state: str) -> PredictedLoss:
    path = evaluated(name)
    forget(path, CACHED)
    return predicted_loss_of(open_population(path), state)


def _photographs() -> list[Figure]:
    from sklearn.metrics import roc_auc_score

    path = evaluated(CIFAR10)
    forget(path, CACHED)
    command = ["-m", "leaplab", "predict-loss", CIFAR10, "--runs", str(RUNS), "--json"]
    with tempfile.TemporaryDirectory() as folder:
        first = watch([*command, "-o", str(Path(folder) / "loss.csv")])
    again = watch(command)
    population = open_population(path)
    answer = predicted_loss_of(population, "unlabeled")
    loss, wrong = _truth(population, answer)
    told = ~np.isnan(answer.low)
    covered = float(((loss >= answer.low) & (loss <= answer.high))[told].mean())
    auroc = float(roc_auc_score(wrong, answer.ranking))
    off = abs(float(answer.predicted.mean() / loss.mean()) - 1)
    tenth = len(loss) // 10
    share = float(loss[:tenth].sum() / loss.sum())
    return [
        Figure(f"{CIFAR10}, unlabeled: 1 - AUROC of being wrong", 1 - auroc, "", 1 - LEAST_AUROC),
        Figure("mean predicted loss, off the real one", off, "", MOST_OFF),
        Figure(f"coverage of intervals of 90 %, off {COVERAGE}", abs(covered - COVERAGE), "", MOST_OFF_COVERAGE),
        Figure("share of the loss outside the first 10 % by prediction", 1 - share, ""),
        Figure("what was said of that share, off", abs(share - answer.skill.top_tenth_share), ""),
        Figure(f"{CIFAR10}: leaplab predict-loss, cold", first.seconds, "s", 30),
        Figure("the second time", again.seconds, "s", 1.5),
    ]


def _truth(population: Population, answer: PredictedLoss) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The loss of each photograph by the label that the run does not have, and whether the model is wrong."""
    from cifar10_resnet.data.batches import TRAINING_FILES, read_batches
    from data_access.root import data_root

    _, labels = read_batches(data_root() / "cifar10" / "cifar-10-batches-py", TRAINING_FILES)
    truth = np.array([labels[int(sample_id.removeprefix("train_"))] for sample_id in answer.ids])
    stored = population.store.stored("predictions", "classes")
    assert stored is not None
    outputs = stored[answer.rows].astype(np.float64)
    likelihood = outputs[np.arange(len(truth)), truth]
    return -np.log(np.maximum(likelihood, np.finfo(np.float32).eps)), outputs.argmax(axis=1) != truth


def _coverage() -> list[Figure]:
    """Of new samples, where few losses make most of the mean; and the time that 100,000 take."""
    held = []
    for seed in range(SYNTHETIC):
        generator = np.random.default_rng(seed)
        ranking = generator.uniform(0, 3, 4000)
        loss = np.exp(ranking) * generator.lognormal(-0.5, 1, 4000)
        found = expected_losses(ranking[:2000], loss[:2000], ranking[2000:])
        held.append(((loss[2000:] >= found.low) & (loss[2000:] <= found.high)).mean())
    ranking = np.random.default_rng(0).normal(size=100_000)
    started = time.perf_counter()
    expected_losses(ranking, np.exp(ranking), None)
    off = abs(float(np.mean(held)) - COVERAGE)
    return [
        Figure(f"coverage of skewed losses, {SYNTHETIC} seeds, off {COVERAGE}", off, "", MOST_OFF_COVERAGE),
        Figure("expected losses and intervals of 100,000", time.perf_counter() - started, "s", 5),
    ]
