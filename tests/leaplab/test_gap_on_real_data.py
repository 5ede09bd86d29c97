"""What `leaplab domain-gap` must say of real digits; `make bench` measures more, on frames too."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import leaplab
from leaplab.analysis.gap import gap_test, pooled_components

pytestmark = pytest.mark.real_data("mnist/mnist.npz")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Any:
    runs = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "leaplab", "evaluate", ROOT, "--runs", runs, "--name", "digits", "--limit", "4000"]
    environment = {**os.environ, "LEAP_EXAMPLE": "mnist"}
    subprocess.run(list(map(str, command)), env=environment, check=True, capture_output=True, timeout=300)
    return leaplab.open_run(runs / "digits")


def test_halves_of_one_state_show_no_gap(digits):
    vectors = digits.vectors(where="state = 'validation'").values
    alarms = 0
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(len(vectors))
        alarms += gap_test(*pooled_components(vectors[order[:150]], vectors[order[150:300]]), 199, seed).p <= 0.05
    assert alarms <= 5  # two are what a level of .05 gives


def test_a_kind_of_digit_that_the_target_lacks_is_a_gap(digits):
    lacking = digits.domain_gap("state = 'training'", "state = 'validation' and metadata.label <> 8")

    assert lacking.measured.p <= 0.05


def test_digits_are_ranked_by_which_of_two_they_are_like(digits):
    rank = "state = 'validation' and metadata.label in (3, 5)"
    answer = digits.domain_gap(
        "state = 'training' and metadata.label = 3", "state = 'training' and metadata.label = 5", rank
    )
    label = digits.read("metadata.label")
    nearness = [each.nearness for each in answer.ranked]

    assert answer.measured.auc > 0.99
    assert roc_auc_score([label[each.row] == 5 for each in answer.ranked], nearness) >= 0.99
    # Asked for the samples that the model was fitted on, each is judged by a fold that has not seen it.
    own = digits.domain_gap(answer.source.where, answer.target.where, f"{answer.source.where} or {answer.target.where}")
    truth = [label[each.row] == 5 for each in own.ranked]
    assert roc_auc_score(truth, [each.nearness for each in own.ranked]) == pytest.approx(own.measured.auc)
