"""The search, on functions whose least value is known."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from leaplab.tune.journal import Journal
from leaplab.tune.objective import Measured
from leaplab.tune.search import Trial, front_of, search

BOUNDS = {
    "x": FloatDistribution(-2.0, 2.0),
    "n": IntDistribution(0, 20),
    "kind": CategoricalDistribution(("a", "b", "c")),
}
START = {"x": -1.5, "n": 1, "kind": "a"}


def bowl(parameters: Any) -> Any:
    """Least at x = 1, n = 12, kind = b."""
    value = (parameters["x"] - 1) ** 2 + ((parameters["n"] - 12) / 10) ** 2 + (parameters["kind"] != "b") + 0.5
    return Measured(value, 1.0 + value / 10, value)


class Asked:
    """Measures by a function, and remembers what it was asked."""

    def __init__(self, function: Any = bowl, most: Any = None) -> None:
        self.function, self.most = function, most
        self.batches: list[Any] = []

    def __call__(self, several: Any) -> Any:
        if self.most is not None and sum(map(len, self.batches)) + len(several) > self.most:
            raise KeyboardInterrupt
        self.batches.append([dict(each) for each in several])
        return [self.function(each) for each in several]


def searched(measure: Any, path: Any = None, **changed: Any) -> Any:
    options = {"trials": 30, "seed": 0, "together": 1, "noise": 0.0, **changed}
    return search(BOUNDS, START, measure, Journal(path), **options)


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_starts_at_the_start_and_comes_near_the_least_value(seed, together):
    asked = Asked()
    found = searched(asked, seed=seed, together=together, trials=60)

    assert found.trials[0].parameters == START
    assert [len(each) for each in asked.batches[:-1]] == [together] * (len(asked.batches) - 1)
    assert found.best.parameters["kind"] == "b"
    assert found.best.value < 0.75  # it starts at 8.96
    assert found.best == min(found.trials, key=lambda trial: trial.value)
    # Common parameters, each within its bounds.
    for trial in found.trials:
        assert all(BOUNDS[name]._contains(BOUNDS[name].to_internal_repr(v)) for name, v in trial.parameters.items())
        assert Measured(trial.distance, trial.coverage, trial.value) == bowl(trial.parameters)


def test_it_is_better_than_chance():
    chance = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        drawn = zip(generator.uniform(-2, 2, 30), generator.integers(0, 21, 30), generator.choice(list("abc"), 30),
                    strict=True)  # fmt: skip
        chance.append(min(bowl(dict(zip("xnk", each, strict=True)) | {"kind": each[2]}).value for each in drawn))
    ours = [searched(Asked(), seed=seed).best.value for seed in range(3)]

    assert np.mean(ours) < np.mean(chance)


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("after", [0, 7, 16])
def test_one_that_was_interrupted_goes_on_and_ends_the_same(tmp_path, together, after):
    whole = searched(Asked(), together=together)
    with pytest.raises(KeyboardInterrupt):
        searched(Asked(most=after), tmp_path / "journal", together=together)
    rest = Asked()
    resumed = searched(rest, tmp_path / "journal", together=together)

    assert json.dumps(asdict(resumed)) == json.dumps(asdict(whole))
    made = (after // together) * together
    assert sum(map(len, rest.batches)) == len(whole.trials) - made
    again = Asked(most=0)
    assert searched(again, tmp_path / "journal", together=together) == whole


def test_a_batch_of_which_a_part_was_written_is_completed(tmp_path, monkeypatch):
    whole = searched(Asked(), together=4, trials=12)
    keep = Journal.keep

    def interrupted(journal: Any, number: Any, *rest: Any) -> Any:
        if number == 6:
            raise KeyboardInterrupt
        keep(journal, number, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "keep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            searched(Asked(), tmp_path / "journal", together=4, trials=12)
    rest = Asked()
    assert searched(rest, tmp_path / "journal", together=4, trials=12) == whole
    assert [len(each) for each in rest.batches] == [2, 4]


def test_a_journal_that_was_cut_off_in_a_line_is_mended(tmp_path):
    whole = searched(Asked(), trials=12)
    with pytest.raises(KeyboardInterrupt):
        searched(Asked(most=8), tmp_path / "journal", trials=12)
    content = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(content[:-40])
    rest = Asked()

    assert searched(rest, tmp_path / "journal", trials=12) == whole
    assert sum(map(len, rest.batches)) == 5
    assert searched(Asked(most=0), tmp_path / "journal", trials=12) == whole


@pytest.mark.parametrize("content", [b"no journal\n", b'{"op_code":0}\n{}\n', b"\x00\xff\n" * 3])
def test_a_journal_that_is_none_is_begun_anew(tmp_path, content):
    (tmp_path / "journal").write_bytes(content)

    assert searched(Asked(), tmp_path / "journal", trials=5) == searched(Asked(), trials=5)
    assert searched(Asked(most=0), tmp_path / "journal", trials=5) == searched(Asked(), trials=5)


def test_more_trials_go_on_from_fewer(tmp_path):
    searched(Asked(), tmp_path / "journal", trials=8)
    rest = Asked()

    assert searched(rest, tmp_path / "journal", trials=14) == searched(Asked(), trials=14)
    assert sum(map(len, rest.batches)) == 6


def test_a_folder_that_cannot_be_written_costs_the_journal_alone(tmp_path):
    (tmp_path / "file").write_text("")

    assert searched(Asked(), tmp_path / "file" / "journal", trials=5) == searched(Asked(), trials=5)


def test_it_ends_where_the_distance_is_noise():
    found = searched(Asked(), noise=0.9, trials=60)

    assert found.best.distance <= 0.9
    assert found.best.number == len(found.trials) - 7  # six more brought nothing better
    assert "as near as two halves of the target" in found.ended
    assert len(found.trials) < len(searched(Asked(), trials=60).trials)


def test_it_ends_where_nothing_gets_better():
    flat = Asked(lambda parameters: Measured(2.0, 1.0, 1.0 if parameters == START else 3.0))
    found = searched(flat, trials=45)

    assert len(found.trials) == 16  # the start, and a third of the trials
    assert found.best.number == 0
    assert "15 trials in a row brought nothing better" in found.ended
    assert len(searched(flat, trials=12).trials) == 11
    assert searched(flat, trials=5).ended == "All trials were made."


def test_the_front_is_what_no_other_beats_in_both():
    points = [(3.0, 1.0), (1.0, 4.0), (2.0, 2.0), (2.5, 2.5), (1.0, 3.0), (0.5, 4.0), (2.0, 2.0)]
    trials = [Trial(number, {}, distance, coverage, 0.0) for number, (distance, coverage) in enumerate(points)]
    beaten = [
        any(o[0] <= p[0] and o[1] <= p[1] and o != p for o in points) for p in points
    ]  # fmt: skip

    front = front_of(trials)
    assert {each.number for each in front} == {n for n in range(6) if not beaten[n]}  # of equal ones the first
    assert [each.distance for each in front] == sorted(each.distance for each in front)
