"""`Run.domain_gap` and `Run.domain_gaps`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import leaplab
from leaplab.errors import LeaplabError
from tests.leaplab.runs_by_hand import write_run

SOURCE, TARGET, THIRD = "metadata.origin = 'old'", "metadata.origin = 'new'", "metadata.origin = 'made'"


def written(path: Path, seed: int = 0, order: Any = None, counts: tuple[int, int, int] = (150, 120, 60)) -> Path:
    """Populations old, new and made; of `made` the first half is like new, the second like old."""
    generator = np.random.default_rng(seed)
    total = sum(counts)
    origin = np.repeat(["old", "new", "made"], counts)
    like_new = np.repeat([False, True, True, False], [counts[0], counts[1], counts[2] // 2, counts[2] - counts[2] // 2])
    vectors = generator.normal(size=(total, 10))
    vectors[:, :3] += 1.8 * like_new[:, None]
    warmth = generator.normal(5, 1, total) - 1.5 * like_new
    sky = np.where(generator.random(total) < np.where(like_new, 0.8, 0.2), "grey", "blue")
    columns: dict[str, tuple[Any, Any]] = {
        "metadata.origin": ("string", origin),
        "metadata.like_new": ("boolean", like_new),
        "metadata.warmth": ("float", warmth),
        "metadata.sky": ("string", sky),
        "metadata.noise": ("float", generator.normal(size=total)),
        "metadata.flat": ("float", np.ones(total)),
        "input.brightness": ("float", generator.normal(size=total) + 0.9 * like_new),
        "loss.a": ("float", generator.normal(size=total) + 5.0 * like_new),
    }
    chosen = np.arange(total) if order is None else order
    return write_run(
        path,
        ["training"] * total,
        {name: (type_, [values[row].item() for row in chosen]) for name, (type_, values) in columns.items()},
        vectors[chosen],
        [f"s{row:04}" for row in chosen],
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> leaplab.Run:
    return leaplab.open_run(written(tmp_path_factory.mktemp("runs") / "domains"))


def test_the_planted_columns_are_told_and_no_others(run):
    found = run.domain_gap(SOURCE, TARGET).measured

    # A column that the conditions name explains nothing, a loss is no property of a sample, the rest is chance.
    assert found.columns[0].column == "metadata.like_new"
    assert {each.column for each in found.columns} == {
        "metadata.like_new", "metadata.warmth", "metadata.sky", "input.brightness",
    }  # fmt: skip
    warmth = next(each for each in found.columns if each.column == "metadata.warmth")
    old, new = (run.read("metadata.warmth", where=each) for each in (SOURCE, TARGET))
    assert (warmth.source, warmth.target) == (pytest.approx(old.mean()), pytest.approx(new.mean()))
    assert warmth.shift == pytest.approx((old.mean() - new.mean()) / new.std())
    assert found.p < 0.01
    assert found.auc > 0.95


def test_distances_are_those_of_the_stored_vectors(run):
    answer = run.domain_gap(SOURCE, TARGET, THIRD)
    old, new = (run.vectors(where=each).values.astype(float) for each in (SOURCE, TARGET))
    values = run.vectors().values.astype(float)

    centre = new.mean(axis=0)
    assert answer.measured.centroid_distance == pytest.approx(np.linalg.norm(old.mean(axis=0) - centre))
    assert answer.measured.radius == pytest.approx(np.linalg.norm(new - centre, axis=1).mean())
    for each in answer.ranked:
        assert each.centroid_distance == pytest.approx(np.linalg.norm(values[each.row] - centre))


@pytest.mark.parametrize("counts", [(150, 120, 60), (120, 30, 60)])
def test_a_third_population_is_ranked_by_what_it_is_like(tmp_path, counts):
    run = leaplab.open_run(written(tmp_path / "run", 1, counts=counts))
    answer = run.domain_gap(SOURCE, TARGET, THIRD)
    like_new = run.read("metadata.like_new")

    nearness = [each.nearness for each in answer.ranked]
    assert nearness == sorted(nearness, reverse=True)
    assert len(nearness) == 60
    assert roc_auc_score([like_new[each.row] for each in answer.ranked], nearness) > 0.95
    assert any("nearest samples" in each for each in answer.warnings) == (counts[1] < 100)


def test_what_was_found_of_each_sample_becomes_columns(run):
    answer = run.domain_gap(SOURCE, TARGET, THIRD)
    again = leaplab.open_run(run.path)
    values = again.read("analysis.nearness")

    assert again.columns["analysis.nearness"].label == f"nearness to {TARGET}"
    assert again.columns["analysis.centroid_distance"].label == f"distance to the centre of {TARGET}"
    assert np.flatnonzero(np.isfinite(values)).tolist() == sorted(each.row for each in answer.ranked)
    assert all(values[each.row] == each.nearness for each in answer.ranked)
    above = {each.row for each in answer.ranked if each.nearness > 0}
    assert set(again.where("analysis.nearness > 0").tolist()) == above


@pytest.mark.parametrize("counts", [(60, 110, 8), (60, 60, 8)])
def test_a_sample_is_ranked_by_what_has_not_seen_it(tmp_path, counts):
    """Noise of many dimensions is learned by heart: a model that has seen a sample puts it where it was."""
    generator = np.random.default_rng(0)
    origin = np.repeat(["old", "new", "made"], counts)
    vectors = generator.normal(size=(sum(counts), 60))
    columns = {"metadata.origin": ("string", origin.tolist())}
    run = leaplab.open_run(write_run(tmp_path / "noise", ["training"] * len(origin), columns, vectors))
    answer = run.domain_gap(SOURCE, TARGET, f"{SOURCE} or {TARGET}")

    truth = [origin[each.row] == "new" for each in answer.ranked]
    assert roc_auc_score(truth, [each.nearness for each in answer.ranked]) < 0.65
    assert abs(answer.measured.auc - 0.5) < 0.15
    if counts[1] >= 100:  # by the fitted model, of which the AUC is
        assert roc_auc_score(truth, [each.nearness for each in answer.ranked]) == pytest.approx(answer.measured.auc)


def test_the_order_of_the_rows_decides_nothing(run, tmp_path):
    order = np.random.default_rng(3).permutation(330)
    other = leaplab.open_run(written(tmp_path / "shuffled", order=order))
    one, two = (each.domain_gap(SOURCE, TARGET, f"{THIRD} or {SOURCE}") for each in (run, other))

    assert (one.measured.p, one.measured.detectable) == (two.measured.p, two.measured.detectable)
    assert one.measured.auc == pytest.approx(two.measured.auc, abs=1e-9)
    assert one.measured.columns == two.measured.columns
    assert [each.sample_id for each in one.ranked] == [each.sample_id for each in two.ranked]
    nearness = [[each.nearness for each in answer.ranked] for answer in (one, two)]
    assert nearness[0] == pytest.approx(nearness[1], abs=1e-6)


def test_a_second_question_is_answered_at_once(run, monkeypatch):
    first = run.domain_gap(SOURCE, TARGET, THIRD)
    monkeypatch.setattr("leaplab.population.gap.measured_gap", lambda *_: pytest.fail("it was computed again"))
    second = leaplab.open_run(run.path).domain_gap(SOURCE, TARGET, THIRD)

    assert (second, second.table()) == (first, first.table())
    with pytest.raises(BaseException, match="computed again"):
        run.domain_gap(TARGET, SOURCE, THIRD)


def test_samples_without_a_vector_are_counted_and_told(tmp_path):
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(90, 5))
    vectors[[0, 1, 40, 85]] = np.nan
    origin = np.repeat(["old", "new", "made"], 30).tolist()
    run = leaplab.open_run(
        write_run(tmp_path / "holes", ["training"] * 90, {"metadata.origin": ("string", origin)}, vectors)
    )
    answer = run.domain_gap(SOURCE, TARGET, THIRD)

    assert answer.source.count == 30
    assert "2 of 30 samples of the source have a vector with NaN or infinity" in answer.warnings[0]
    assert any("1 of 30 samples of the target has a vector with NaN" in each for each in answer.warnings)
    assert len(answer.ranked) == 29
    assert any("28 samples" in each for each in (answer.power, *answer.warnings))


def test_vectors_and_columns_that_are_all_equal_show_nothing(tmp_path):
    columns: dict[str, Any] = {
        "metadata.origin": ("string", ["old", "new"] * 20),
        "metadata.flat": ("float", [1.0] * 40),
        "metadata.absent": ("float", [float("nan")] * 40),
    }
    run = leaplab.open_run(write_run(tmp_path / "equal", ["training"] * 40, columns, np.ones((40, 6))))
    found = run.domain_gap(SOURCE, TARGET, SOURCE)

    assert (found.measured.p, found.measured.auc, found.measured.columns) == (1, 0.5, ())
    assert "no shift of any size" in found.power
    assert "No gap is seen" in found.headline()
    assert len({each.nearness for each in found.ranked}) == 1


def test_large_populations_are_drawn_from_and_all_are_ranked(tmp_path):
    generator = np.random.default_rng(0)
    origin = np.repeat(["old", "new"], [2100, 150])
    vectors = generator.normal(size=(2250, 4)) + 3.0 * (origin == "new")[:, None]
    run = leaplab.open_run(
        write_run(tmp_path / "large", ["training"] * 2250, {"metadata.origin": ("string", origin.tolist())}, vectors)
    )
    answer = run.domain_gap(SOURCE, TARGET, SOURCE)

    assert any(each.startswith("2,000 of 2,100 samples of the source") for each in answer.warnings)
    assert len(answer.ranked) == 2100
    assert all(each.nearness < 2 for each in answer.ranked)


@pytest.mark.parametrize(
    ("source", "target", "rank", "told"),
    [
        ("metadata.warmth > 99", TARGET, None, "The source is empty: no sample meets `metadata.warmth > 99`."),
        (SOURCE, "metadata.warmth > 99", None, "The target is empty"),
        (SOURCE, TARGET, "metadata.warmth > 99", "The population to rank is empty"),
        ("sample_id = 's0001'", TARGET, None, "has 1 sample, and it takes 5 at least"),
        ("state = 'training'", TARGET, None, "takes all 330 samples"),
        (SOURCE, "metadata.flat > 0", None, "takes all 330 samples"),
        (SOURCE, SOURCE, None, "the same 150 samples"),
        (SOURCE, f"{SOURCE} or {TARGET}", None, "150 samples are in both populations, of 150 in the source and 270 in"),
        (f"{SOURCE} or {TARGET}", TARGET, None, r'--source "\(metadata.origin = .*\) and not \(metadata.origin = '),
        (SOURCE, "metadata.nothing = 1", None, "which is no column of this run"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_a_sentence(run, source, target, rank, told):
    with pytest.raises(LeaplabError, match=told):
        run.domain_gap(source, target, rank)


def test_a_run_without_a_latent_space_is_a_sentence(tmp_path):
    path = write_run(tmp_path / "bare", ["training"] * 20, {"metadata.origin": ("string", ["old", "new"] * 10)})
    with pytest.raises(LeaplabError, match="has no latent space"):
        leaplab.open_run(path).domain_gap(SOURCE, TARGET)
    with pytest.raises(LeaplabError, match="has no latent space"):
        leaplab.open_run(path).domain_gaps("metadata.origin")


def test_a_target_of_five_is_compared_with_a_warning(run):
    few = "sample_id in ('s0200', 's0201', 's0202', 's0203', 's0204')"
    answer = run.domain_gap(SOURCE, few)

    assert any("The target has 5 samples, so that only a large gap shows" in each for each in answer.warnings)
    assert answer.power.startswith("150 and 5 samples would not show a shift")
    assert (answer.measured.detectable or 0) > 0.85


def test_the_pairs_of_a_column_are_those_of_single_questions(run):
    answer = run.domain_gaps("metadata.origin")
    single = run.domain_gap(SOURCE, TARGET).measured

    assert answer.populations == ("old", "new", "made")
    assert answer.counts == (150, 120, 60)
    for matrix, value in ((answer.matrix.auc, single.auc), (answer.matrix.energy, single.energy)):
        assert matrix[0][1] == pytest.approx(value)
        assert np.array_equal(np.array(matrix, float), np.array(matrix, float).T, equal_nan=True)
        assert [matrix[place][place] for place in range(3)] == [None] * 3
    assert answer.matrix.p[0][1] == pytest.approx(3 * 0.002, rel=0.5), "the least p, times three pairs"
    assert len(answer.table()["source"]) == 3


def test_one_of_many_values_lies_apart_and_those_left_out_are_named(tmp_path):
    generator = np.random.default_rng(2)
    kind = np.repeat([f"k{place:02}" for place in range(15)], [30] * 14 + [29])
    vectors = generator.normal(size=(449, 3)) + 4.0 * (kind == "k05")[:, None]
    run = leaplab.open_run(
        write_run(tmp_path / "kinds", ["training"] * 449, {"metadata.kind": ("string", kind.tolist())}, vectors)
    )
    answer = run.domain_gaps("metadata.kind")

    assert len(answer.populations) == 12
    assert answer.warnings[0].endswith("fewer than 30 samples, and is left out: k14.")
    assert answer.warnings[1].endswith("with the most samples are compared; left out: k12, k13.")
    # With 66 pairs the least p has to be small enough to outlast the correction; of chance there is no gap.
    p, apart = np.array(answer.matrix.p, float), answer.populations.index("k05")
    assert (np.delete(p[apart], apart) <= 0.05).all()
    assert np.nansum(np.delete(np.delete(p, apart, 0), apart, 1) <= 0.05) == 0


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("metadata.nothing", "no column 'metadata.nothing'"),
        ("metadata.warmth", "has no categories"),
        ("metadata.flat", "has no categories"),
        ("sample.state", "One value of 'sample.state' has 30 samples or more"),
    ],
)
def test_a_column_that_has_no_populations_is_a_sentence(run, by, told):
    with pytest.raises(LeaplabError, match=told):
        run.domain_gaps(by)


def test_a_notebook_shows_the_map_and_the_columns(run):
    page = run.domain_gap(SOURCE, TARGET)._repr_html_()
    matrix = run.domain_gaps("metadata.origin")._repr_html_()

    assert "data:image/png;base64," in page
    assert "metadata.warmth" in page
    assert "Source and target differ" in page
    assert "0.9" in matrix or "1.00*" in matrix
