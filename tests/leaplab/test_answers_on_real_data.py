"""What the analyses must reach on real digits and photographs; `make bench` measures more, on all of them."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, average_precision_score

import leaplab
from leaplab.analysis.insight import Labels, Samples
from leaplab.analysis.insight.registry import finder
from leaplab.population.population import open_population
from leaplab.population.samples import choose

pytestmark = pytest.mark.real_data("mnist/mnist.npz", "cifar10/cifar-10-batches-py")
ROOT = Path(__file__).resolve().parents[2]
NOISE = 0.08


def evaluated(folder: Path, example: str, *options: str) -> Path:
    command = [sys.executable, "-m", "leaplab", "evaluate", ROOT, "--runs", folder, "--name", example, *options]
    environment = {**os.environ, "LEAP_EXAMPLE": example}
    subprocess.run(list(map(str, command)), env=environment, check=True, capture_output=True, timeout=300)
    return folder / example


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evaluated(tmp_path_factory.mktemp("runs"), "mnist", "--limit", "4000")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evaluated(tmp_path_factory.mktemp("runs"), "cifar10_resnet", "--state", "test", "--limit", "4000")


def samples_of(run: Path) -> Samples:
    return choose(open_population(run)).samples


def with_wrong_labels(samples: Samples, seed: int) -> tuple[Samples, np.ndarray]:
    """Of each state 8 % of the labels replaced by another class at random; and which."""
    assert samples.labels is not None
    generator = np.random.default_rng(seed)
    codes, wrong = samples.labels.codes.copy(), np.zeros(len(samples), bool)
    for state in set(samples.states):
        rows = np.flatnonzero(samples.in_state(state) & (codes >= 0))
        wrong[generator.choice(rows, int(NOISE * len(rows)), replace=False)] = True
    classes = len(samples.labels.names)
    codes[wrong] = (codes[wrong] + generator.integers(1, classes, wrong.sum())) % classes
    return replace(samples, labels=Labels("classes", codes, samples.labels.names, samples.labels.predicted)), wrong


def test_digits_fall_into_ten_clusters_that_are_the_classes(digits):
    run = leaplab.open_run(digits)
    clusters = run.clusters()
    whole = [each for each in clusters.clusters if each.parent is None]

    assert abs(len(whole) - 10) <= 1
    assert adjusted_rand_score(run.read("metadata.label")[clusters.rows], clusters.numbers) >= 0.97
    assert clusters.stability is not None
    assert clusters.stability > 0.9


@pytest.mark.parametrize(("run", "state", "least"), [("digits", "validation", 0.99), ("photographs", "test", 0.89)])
def test_wrong_labels_come_first(run, state, least, request):
    samples, wrong = with_wrong_labels(samples_of(request.getfixturevalue(run)), seed=1)
    found = finder("mislabeled_samples")(samples)
    inside = samples.in_state(state)

    assert found.scores is not None
    assert average_precision_score(wrong[inside], found.scores[inside]) >= least
    first = np.flatnonzero(inside)[np.argsort(-found.scores[inside])[:100]]
    assert wrong[first].mean() >= 0.9


def test_training_lacks_no_kind_of_digit_and_holds_none_of_validation(digits):
    samples = samples_of(digits)

    for kind in ("out_of_distribution", "data_leakage", "overfitting", "shortcut"):
        found = finder(kind)(samples)
        assert not found.insights, kind
        assert found.silent.endswith(".")


def test_a_kind_of_digit_that_training_lacks_is_named(digits):
    samples = samples_of(digits)
    label = samples.columns["metadata.label"].numbers
    kept = ~(samples.in_state("training") & (label == 8) & (np.random.default_rng(0).random(len(samples)) > 0.05))
    rows = np.flatnonzero(kept)
    assert samples.space is not None
    inside = np.isin(samples.space.rows, rows)
    thinned = Samples(
        samples.states[rows],
        {name: each.of(rows) for name, each in samples.columns.items()},
        space=replace(
            samples.space, rows=np.searchsorted(rows, samples.space.rows[inside]), vectors=samples.space.vectors[inside]
        ),
    )
    (insight,) = finder("out_of_distribution")(thinned).insights

    assert insight.state == "validation"
    assert (thinned.columns["metadata.label"].numbers[insight.members] == 8).mean() > 0.95


def test_a_slice_that_is_planted_into_the_loss_is_found_first(photographs):
    samples = samples_of(photographs)
    assert samples.score is not None
    brightness = samples.columns["input.brightness"].numbers
    worse = (brightness > np.quantile(brightness, 0.9)) & (brightness < np.quantile(brightness, 0.96))
    loss = np.random.default_rng(2).permutation(samples.score.badness)
    loss = loss + worse * loss.std()
    planted = replace(samples, score=replace(samples.score, values=loss, badness=loss, failed=None))
    (insight, *_) = finder("low_performance")(planted).insights

    assert "input.brightness" in insight.title or "image_brightness" in insight.title
    assert worse[insight.members].mean() > 0.8
