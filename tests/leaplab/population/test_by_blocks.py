"""A run whose vectors do not fit in memory gives the answers of one whose vectors do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from leaplab.analysis.parted import PartedVectors
from leaplab.cli.commands import app
from leaplab.population.clusters import clusters_of
from leaplab.population.gap import gap_of
from leaplab.population.insights import Question, insights_of
from leaplab.population.landmarks import shares, standing_for
from leaplab.population.population import Population, open_population
from tests.leaplab.runs_by_hand import write_run

COUNT = 400


def written(path: Path, seed: int = 0) -> Path:
    generator = np.random.default_rng(seed)
    group = generator.integers(3, size=COUNT)
    vectors = generator.normal(size=(COUNT, 6)) + 6 * np.eye(6)[group]
    vectors[[5, 77, 78, 399]] = np.nan
    vectors[20] = np.inf
    loss = generator.exponential(size=COUNT) + 4 * (group == 2)
    columns: dict[str, Any] = {
        "metadata.group": ("string", [f"g{each}" for each in group]),
        "loss.a": ("float", loss.tolist()),
    }
    states = ["training"] * 240 + ["validation"] * 100 + ["unlabeled"] * 60
    arrays = {"thumbnails": {"image": generator.integers(256, size=(COUNT, 16, 16, 1)).astype(np.uint8)}}
    return write_run(path, states, columns, vectors, arrays=arrays)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Population, Population]:
    """The same run, in memory and by blocks."""
    in_memory = open_population(written(tmp_path / "one" / "run"))
    assert isinstance(in_memory.vectors().values, np.ndarray)
    monkeypatch.setattr("leaplab.population.vectors.IN_MEMORY", COUNT * 6 * 4 - 1)
    by_blocks = open_population(written(tmp_path / "two" / "run"))
    assert isinstance(by_blocks.vectors().values, PartedVectors)
    monkeypatch.setattr("leaplab.analysis.parted.BLOCK", 50)
    return in_memory, by_blocks


def test_vectors_are_the_same_and_those_that_are_not_finite_are_left_out(pair: tuple[Population, Population]) -> None:
    known, found = (each.vectors() for each in pair)

    np.testing.assert_array_equal(found.rows, known.rows)
    np.testing.assert_array_equal(np.asarray(found.values), known.values)
    assert found.left_out == known.left_out == 5
    assert pair[0].notices == pair[1].notices


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("queries", [[7], [3, 150, 390]])
def test_similar_samples_are_the_same(pair: tuple[Population, Population], metric: Any, queries: list[int]) -> None:
    for among in (None, np.arange(100, 300)):
        one, two = (each.similar(queries, 25, metric, among=among) for each in pair)
        assert [(each.row, each.distance) for each in two.similar] == [
            (each.row, each.distance) for each in one.similar
        ]
        assert len(one.similar) == 25


@pytest.mark.parametrize(
    "ask",
    [
        lambda run: run.map(None, "pca"),
        lambda run: run.clusters(),
        lambda run: clusters_of(run, 3, None, None).numbers,
        lambda run: clusters_of(run, 3, None, np.arange(0, 400, 2)).distances,
        lambda run: gap_of(run, "state = 'training'", "state = 'validation'").measured.auc,
        lambda run: [(each.id, each.member_count, each.severity) for each in insights_of(run, Question()).insights],
    ],
)
def test_other_answers_are_the_same(pair: tuple[Population, Population], ask: Callable[[Population], Any]) -> None:
    np.testing.assert_array_equal(ask(pair[1]), ask(pair[0]))


def test_a_map_by_blocks_stays_put_when_samples_are_added(pair: tuple[Population, Population]) -> None:
    known, found = (each.map(None, "pacmap") for each in pair)

    np.testing.assert_allclose(found, known, atol=0.05)
    assert np.isnan(found).all(axis=1).sum() == 5


@pytest.mark.parametrize(
    ("counts", "total", "least", "wanted"),
    [
        ([1_000, 1_000], 100, 10, [50, 50]),
        ([9_000, 1_000, 5], 1_000, 10, [888, 107, 5]),
        ([1_000_000, 30, 200], 500, 100, [370, 30, 100]),
        ([7, 7, 7], 20, 2, [7, 7, 6]),
    ],
)
def test_every_state_has_its_share_of_the_landmarks(
    counts: list[int], total: int, least: int, wanted: list[int]
) -> None:
    found = shares(np.array(counts), total, least)

    assert found.sum() == total
    assert np.abs(found - wanted).max() <= 1
    assert (found <= counts).all()


def test_insights_of_a_large_run_are_looked_for_among_landmarks_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = written(tmp_path / "runs" / "large")
    whole = insights_of(open_population(run), Question(members=None))
    assert whole.notices == ()
    for module in ("landmarks", "insights"):
        monkeypatch.setattr(f"leaplab.population.{module}.LOOKED_AT", 200)
        monkeypatch.setattr(f"leaplab.population.{module}.LEAST", 30)
    population = open_population(run)

    found = insights_of(population, Question(members=None))

    landmarks = standing_for(population, None)
    assert landmarks is not None
    assert len(landmarks) == len(set(landmarks.tolist())) == 200
    names = {population.ids[row] for row in landmarks}
    told = [each for each in found.insights if each.kind == "low_performance"]
    assert told, "the third group has four times the loss"
    assert all(member.sample_id in names for each in found.insights for member in each.members)
    assert all(each.population <= 200 for each in found.insights)
    assert found.notices == (
        "Insights are looked for among 200 of 400 samples, drawn at random of each state; counts and members are of"
        " these.",
    )
    assert found.notices[0] in population.notices
    assert insights_of(population, Question(among=np.arange(200))).notices == ()

    answered = CliRunner().invoke(app, ["insights", "large", "--runs", str(run.parent), "--json"])
    assert answered.exit_code == 0
    assert json.loads(answered.stdout)["notices"] == list(found.notices)
    few = CliRunner().invoke(app, ["insights", "large", "--runs", str(run.parent), "--state", "unlabeled", "--json"])
    assert set(json.loads(few.stdout)) == {"run", "insights", "silent"}


def test_clusters_by_mini_batches_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = written(tmp_path / "runs" / "large")
    assert clusters_of(open_population(run), 3, None, None).notices == ()
    for module in ("analysis.clustering", "population.clusters"):
        monkeypatch.setattr(f"leaplab.{module}.MANY", 300)
    population = open_population(run)

    answer = clusters_of(population, 4, None, None)

    (notice,) = answer.notices
    assert notice.startswith("The clusters of 395 samples are by mini-batches")
    assert notice in population.notices
    answered = CliRunner().invoke(app, ["clusters", "large", "--runs", str(run.parent), "--clusters", "4", "--json"])
    assert json.loads(answered.stdout)["notices"] == [notice]
