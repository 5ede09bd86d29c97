"""`leaplab prune` and `Run.prune`."""

import csv
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

import leaplab
from tests.leaplab.runs_by_hand import write_run


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """400 training samples in three groups and 60 of test; one vector is not finite."""
    generator = np.random.default_rng(0)
    states = np.repeat(["training", "test"], [400, 60])
    groups = generator.permutation(np.repeat([0, 1, 2], [240, 140, 80]))
    vectors = 20 * np.eye(3, 5)[groups] + generator.normal(size=(460, 5))
    vectors[7] = np.inf
    colours = generator.choice(["red", "green", "blue"], 460, p=[0.7, 0.2, 0.1]).tolist()
    columns = {
        "metadata.colour": ("string", [None if row == 9 else colour for row, colour in enumerate(colours)]),
        "metadata.nothing": ("float", [None] * 460),
        "loss.a": ("float", generator.exponential(size=460).tolist()),
    }
    return write_run(tmp_path_factory.mktemp("runs") / "pieces", states.tolist(), columns, vectors), groups


def asked(command: Any, *arguments: Any) -> Any:
    return json.loads(command("prune", *arguments, "--json").out)


def said(finished: Any) -> str:
    return " ".join(finished.err.split())


def rows_of(kept: Any) -> Any:
    return np.array([int(each["sample_id"][1:]) for each in kept])


@pytest.mark.parametrize(("keep", "count"), [("0.25", 100), ("0.5", 200), ("1.0", 399), ("1", 1), ("123", 123)])
def test_exactly_as_many_are_kept_as_was_asked(written, command, keep, count):
    told = asked(command, written[0], "--keep", keep)

    assert list(told) == ["kept", "dropped"]
    assert (len(told["kept"]), told["dropped"]) == (count, 399 - count)  # one has no vector: 399 are judged
    assert all(list(each) == ["sample_id", "cluster", "distance", "subgroup", "priority"] for each in told["kept"])
    assert [each["priority"] for each in told["kept"]] == list(range(1, count + 1))
    assert rows_of(told["kept"]).max() < 400
    assert len(set(rows_of(told["kept"]).tolist())) == count


def test_clusters_are_those_of_the_command_clusters_and_keep_their_shares(written, command, tmp_path):
    path, _ = written
    command("clusters", path, "--state", "training", "-o", tmp_path / "clusters.csv")
    rows = list(csv.DictReader((tmp_path / "clusters.csv").read_text().splitlines()))
    clusters = {each["sample_id"]: (int(each["cluster"]), float(each["distance"])) for each in rows}
    told = asked(command, path, "--keep", "0.4", "-o", tmp_path / "kept.csv")

    for each in told["kept"]:
        number, distance = clusters[each["sample_id"]]
        assert each["cluster"] == number
        assert each["distance"] == pytest.approx(distance)
    sizes = np.bincount([number for number, _ in clusters.values()])
    assert np.bincount([each["cluster"] for each in told["kept"]]) == pytest.approx(0.4 * sizes, abs=4)
    kept = list(csv.DictReader((tmp_path / "kept.csv").read_text().splitlines()))
    assert list(kept[0]) == ["sample_id", "state", "cluster", "distance", "subgroup", "priority"]
    assert len(kept) == 160


def test_to_keep_fewer_is_to_keep_the_first(written, command):
    many, few = (asked(command, written[0], "--keep", keep)["kept"] for keep in ("0.5", "40"))

    assert many[:40] == few


def test_what_is_central_goes_first(written, command):
    told = asked(command, written[0], "--keep", "50", "--min-distance", "1.2")

    assert min(each["distance"] for each in told["kept"]) >= 1.2
    finished = command("prune", written[0], "--keep", "390", "--min-distance", "1.2")
    assert finished.code == 2
    assert "--keep asks for 390 samples, but only " in said(finished)


def test_one_cluster_is_pruned_alone(written, command):
    whole = asked(command, written[0], "--keep", "1.0")["kept"]
    sizes = np.bincount([each["cluster"] for each in whole])
    told = asked(command, written[0], "--keep", "0.5", "--cluster", 1)
    counted = np.bincount([each["cluster"] for each in told["kept"]])

    assert counted.tolist() == [sizes[0], round(0.5 * sizes[1]), sizes[2]]
    assert told["dropped"] == sizes[1] - round(0.5 * sizes[1])
    for each in told["kept"]:
        assert (each["priority"] is None) == (each["subgroup"] is None) == (each["cluster"] != 1)


def test_shares_are_equal_within_one_per_cent(written, command):
    path, _ = written
    run = leaplab.open_run(path)
    kept = asked(command, path, "--keep", "90", "--balance", "metadata.colour")["kept"]
    colours = run.read("metadata.colour")[rows_of(kept)].tolist()
    finished = command("prune", path, "--keep", "90", "--balance", "metadata.colour")

    shares = {colour: colours.count(colour) for colour in ("red", "green", "blue")}
    assert max(shares.values()) - min(shares.values()) <= 1
    assert "Without a value of metadata.colour, and balanced as one more: 1 samples" in said(finished)


def test_the_worst_of_each_subgroup_are_kept_first(written, command):
    path, _ = written
    loss = leaplab.open_run(path).read("loss.a")
    first, plain = (
        loss[rows_of(asked(command, path, "--keep", "0.3", *options)["kept"])].mean()
        for options in (("--first", "loss.a"), ())
    )

    assert first > plain + 0.5


def test_each_step_is_shown(written, command):
    finished = command("prune", written[0], "--keep", "0.25", "--strata", 3, "--subgroups", 2)
    lines = [line.split() for line in finished.out.splitlines()]
    run = leaplab.open_run(written[0])
    answer = run.prune(0.25, strata=3, subgroups=2)

    assert lines[0] == ["cluster", "samples", "strata", "by", "distance", "of", "each", "subgroups", "kept"]
    for line, each in zip(lines[1:4], answer.clusters, strict=True):
        assert line[0] == str(each.number)
        assert line[1] == str(each.size)
        assert [float(bound) for bound in line[2:6]] == pytest.approx(each.bounds, rel=0.01)
        assert line[-2:] == ["6", str(each.kept)]
    assert "100 of 399 samples of training are kept, 299 dropped" in said(finished)
    assert "Without a finite vector, and so neither kept nor dropped: 1 of 400 samples" in said(finished)


def test_other_states_and_conditions(written, command):
    told = asked(command, written[0], "--keep", "10", "--state", "test", "--where", "metadata.colour = 'red'")
    colours = leaplab.open_run(written[0]).read("metadata.colour")

    assert set(colours[rows_of(told["kept"])]) == {"red"}
    assert rows_of(told["kept"]).min() >= 400


def test_the_order_of_the_evaluation_decides_nothing(tmp_path, command):
    generator = np.random.default_rng(1)
    vectors, ids = generator.normal(size=(90, 4)), [f"i{row:02}" for row in range(90)]
    moved = generator.permutation(90)
    columns: Any = {"metadata.size": ("float", [1.0] * 90)}
    one = write_run(tmp_path / "one", ["training"] * 90, columns, vectors, ids)
    two = write_run(tmp_path / "two", ["training"] * 90, columns, vectors[moved], [ids[place] for place in moved])

    assert asked(command, one, "--keep", "0.3") == asked(command, two, "--keep", "0.3")


def test_what_is_kept_is_drawn(written, command, tmp_path):
    for name, options in (("clusters.png", ()), ("shares.png", ("--balance", "metadata.colour"))):
        finished = command("prune", written[0], "--keep", "0.2", "--figure", tmp_path / name, *options)
        assert finished.code == 0, finished.err
        with Image.open(tmp_path / name) as picture:
            assert picture.width == 1800
    drawn = tmp_path / "kept.svg"
    command("prune", written[0], "--keep", "0.2", "--figure", drawn)
    for words in ("80 of 399 training samples of pieces are kept", "dropped", "cluster 0"):
        assert words in drawn.read_text()


def test_from_python(written, monkeypatch):
    run = leaplab.open_run(written[0])
    answer = run.prune(0.1, balance="metadata.colour", first="loss.a")

    assert len(answer.kept) == len(answer.rows) == 40
    assert sorted([*answer.rows.tolist(), *answer.dropped.tolist()]) == [row for row in range(400) if row != 7]
    column = run.read("analysis.pruning_kept")
    assert (column[answer.rows] == 1).all()
    assert (column[answer.dropped] == 0).all()
    assert np.isnan(column[[7, *range(400, 460)]]).all()
    assert "Pruning of training" in answer._repr_html_()
    monkeypatch.setattr("leaplab.population.pruning.prune", lambda *_: pytest.fail("it was computed again"))
    assert leaplab.open_run(written[0]).prune(0.1, balance="metadata.colour", first="loss.a").kept == answer.kept


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--keep", "0"), "--keep takes a share above 0 and up to 1.0, such as 0.5, or a whole"),
        (("--keep", "0.0"), "--keep takes a share above 0"),
        (("--keep", "1.5"), "such as 0.5, or a whole number of samples, not 1.5"),
        (("--keep", "half"), "--keep takes a share, such as 0.5, or a number of samples, such as 2000, not 'half'"),
        (("--keep", "nan."), "not 'nan.'"),
        (("--keep", "400"), "--keep asks for 400 samples, but training has 399 with a finite vector"),
        (("--keep", "0.0001"), "A share of 0.0001 of the 399 samples of training is none"),
        (("--keep", "5", "--cluster", "9"), "There is no cluster 9 in training; there are 0 to 2"),
        (("--keep", "300", "--cluster", "1"), "--keep asks for 300 samples, but cluster 1 of training has"),
        (("--keep", "5", "--state", "night"), "no state 'night' to prune; it has training, test: name one by --state"),
        (("--keep", "5", "--balance", "metadata.x"), "This run has no column 'metadata.x'"),
        (("--keep", "5", "--first", "metadata.x"), "This run has no column 'metadata.x'"),
        (("--keep", "5", "--first", "metadata.colour"), "'metadata.colour' holds no numbers"),
        (("--keep", "5", "--first", "metadata.nothing"), "None of these samples has a value of 'metadata.nothing'"),
        (("--keep", "5", "--balance", "metadata.nothing"), "None of these samples has a value of 'metadata.nothing'"),
        (("--keep", "5", "--balance", "loss.a"), "'loss.a' is a number on a scale"),
        (("--keep", "5", "--min-distance", "-1"), "--min-distance is a distance, 0 or more, not -1"),
        (("--keep", "5", "--where", "loss.a > 1000"), "There is no sample of training to prune; widen the condition"),
        (("--keep", "5", "--space", "other"), "has no latent space 'other'"),
    ],
)  # fmt: skip
def test_a_bad_question_is_a_sentence(written, command, options, sentence):
    finished = command("prune", written[0], *options)

    assert finished.code == 2
    assert sentence in said(finished)
    assert len(finished.err.strip().splitlines()) <= 4


def test_no_latent_space_is_a_sentence(tmp_path, command):
    columns: Any = {"metadata.size": ("float", [1.0] * 9)}
    without = write_run(tmp_path / "without", ["training"] * 9, columns)
    blind = write_run(tmp_path / "blind", ["training"] * 9, columns, np.full((9, 2), np.nan))

    assert "has no latent space" in said(command("prune", without, "--keep", "2"))
    assert "holds NaN or infinity" in said(command("prune", blind, "--keep", "2"))
