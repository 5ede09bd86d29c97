"""`leaplab prioritize` and `Run.prioritize`."""

import csv
import json
from typing import Any

import duckdb
import numpy as np
import pytest
from PIL import Image

import leaplab
from leaplab.protocol.description import PredictionSpec
from tests.leaplab.runs_by_hand import write_run


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Training, validation and 300 unlabeled of four groups, of which the network is unsure of the third."""
    generator = np.random.default_rng(0)
    states = np.repeat(["training", "validation", "unlabeled"], [150, 200, 300])
    groups = generator.choice(4, 650, p=[0.4, 0.3, 0.2, 0.1])
    vectors = 9 * np.eye(4, 6)[groups] + generator.normal(size=(650, 6))
    sure = np.where(groups == 2, generator.uniform(0.3, 0.6, 650), generator.uniform(0.9, 0.999, 650))
    probabilities = np.stack([sure, 1 - sure], axis=1)
    wrong = generator.random(650) > sure
    loss = -np.log(np.where(wrong, 1 - sure, sure))
    labelled = states != "unlabeled"
    video = generator.integers(0, 60, 650)
    columns = {
        "metadata.group": ("string", [f"g{group}" for group in groups]),
        "metadata.video": ("int", video.tolist()),
        "metadata.height": ("float", generator.normal(size=650).tolist()),
        "metadata.nothing": ("string", [None if state == "unlabeled" else "x" for state in states]),
        "input.hash": ("string", [f"h{row - row % 2}" if row >= 640 else f"h{row}" for row in range(650)]),
        "loss.ce": ("float", [value if known else None for value, known in zip(loss.tolist(), labelled, strict=True)]),
    }
    path = write_run(
        tmp_path_factory.mktemp("runs") / "groups", states.tolist(), columns, vectors,
        arrays={"predictions": {"classes": probabilities.astype(np.float32)}},
        predictions=(PredictionSpec("classes", ("a", "b"), -1),),
    )  # fmt: skip
    return path, groups, video


def asked(command: Any, *arguments: Any) -> Any:
    return json.loads(command("prioritize", *arguments, "--json").out)


def said(finished: Any) -> str:
    return " ".join(finished.err.split())


def rows_of(samples: Any) -> Any:
    return [int(each["sample_id"][1:]) for each in samples]


def test_a_list_is_as_it_is_promised(written, command, tmp_path):
    path, groups, _ = written
    told = asked(command, path, "--budget", 30, "-o", tmp_path / "list.csv")

    assert list(told) == ["budget", "samples"]
    assert told["budget"] == 30
    assert all(list(e) == ["sample_id", "rank", "predicted_loss", "cluster", "reason"] for e in told["samples"])
    assert [each["rank"] for each in told["samples"]] == list(range(1, 31))
    assert sorted(each["cluster"] for each in told["samples"]) == list(range(30))
    rows = rows_of(told["samples"])
    assert len(set(rows)) == 30
    assert min(rows) >= 350  # all are unlabeled
    # All groups are there, the one that the network is unsure of more often than its share.
    counted = np.bincount(groups[rows], minlength=4)
    assert (counted > 0).all()
    assert counted[2] / 30 > (groups[350:] == 2).mean()
    written_rows = list(csv.DictReader((tmp_path / "list.csv").read_text().splitlines()))
    assert list(written_rows[0]) == ["sample_id", "state", "rank", "predicted_loss", "cluster", "reason"]
    assert [each["sample_id"] for each in written_rows] == [each["sample_id"] for each in told["samples"]]


def test_reasons_are_true(written, command):
    path, *_ = written
    told = asked(command, path, "--budget", 25)
    predicted = leaplab.open_run(path).predict_loss("unlabeled").predicted
    others = 0
    for each in told["samples"]:
        share = (predicted >= each["predicted_loss"]).mean()
        expected = f"predicted loss in the top {int(np.ceil(100 * share))} %" if share <= 0.5 else "lower half"
        assert expected in each["reason"]
        last = each["reason"].split("stands for ")[-1].split()[0]
        others += {"one": 1}.get(last, int(last) if last.isdigit() else 0)
    assert others == 300 - 25  # each sample is stood for once


def test_shares_are_equal_within_a_sample(written, command):
    path, groups, _ = written
    told = asked(command, path, "--budget", 41, "--balance", "metadata.group")
    counted = np.bincount(groups[rows_of(told["samples"])], minlength=4)

    assert counted.max() - counted.min() <= 1


def test_no_video_comes_twice_before_all_have_come(written, command):
    path, _, video = written
    told = asked(command, path, "--budget", 50, "--apart", "metadata.video")

    assert len(set(video[rows_of(told["samples"])].tolist())) == 50
    finished = command("prioritize", path, "--budget", 100, "--apart", "metadata.video")
    assert "fewer than the budget, so that some come more than once" in said(finished)


@pytest.mark.parametrize("name", ["first.csv", "first.json", "first.parquet", "printed.json"])
def test_a_former_list_is_left_out_and_counts_as_covered(written, command, tmp_path, name):
    path, groups, _ = written
    former = tmp_path / name
    if name == "printed.json":
        former.write_text(command("prioritize", path, "--budget", 20, "--where", "metadata.group = 'g0'", "--json").out)
    else:
        command("prioritize", path, "--budget", 20, "--where", "metadata.group = 'g0'", "-o", former)
    first = json.loads(command("prioritize", path, "--budget", 20, "--where", "metadata.group = 'g0'", "--json").out)
    told = asked(command, path, "--budget", 12, "--after", former)
    alone = asked(command, path, "--budget", 12)

    assert not set(rows_of(told["samples"])) & set(rows_of(first["samples"]))
    # What is covered needs less: of the group that the former list is of, fewer are chosen than without it.
    assert (groups[rows_of(told["samples"])] == 0).sum() < (groups[rows_of(alone["samples"])] == 0).sum()


def test_what_was_chosen_before_is_not_there_to_choose(written, command, tmp_path):
    path, *_ = written
    command("prioritize", path, "--budget", 20, "-o", tmp_path / "first.csv")
    before = {row["sample_id"] for row in csv.DictReader((tmp_path / "first.csv").read_text().splitlines())}
    told = asked(command, path, "--budget", 280, "--after", tmp_path / "first.csv")

    assert not before & {each["sample_id"] for each in told["samples"]}
    finished = command("prioritize", path, "--budget", 281, "--after", tmp_path / "first.csv")
    assert "only 280 of these samples are left in unlabeled" in said(finished)


def test_a_former_list_is_found_after_its_samples_have_been_labelled(written, command, tmp_path):
    path, *_ = written
    former = tmp_path / "former.csv"
    former.write_text("sample_id,state\ns0,unlabeled\ns1,unlabeled\n")  # both are of training by now

    assert command("prioritize", path, "--budget", 5, "--after", former).code == 0


def test_equal_inputs_are_not_both_chosen(written, command):
    path, *_ = written  # the last ten samples are five pairs of equal inputs
    told = asked(command, path, "--budget", 290)
    last = [row for row in rows_of(told["samples"]) if row >= 640]

    assert len({row // 2 for row in last}) == len(last)
    finished = command("prioritize", path, "--budget", 300)
    assert "Near-duplicates of others of the list, since nothing else is left to choose: " in said(finished)


def test_it_is_compared_with_random_and_the_highest_loss(written, command):
    path, *_ = written
    told = asked(command, path, "--budget", 20, "--compare")
    random, highest, this = told["comparison"]
    predicted = leaplab.open_run(path).predict_loss("unlabeled")

    assert [each["choice"] for each in told["comparison"]] == ["random", "highest predicted loss", "this list"]
    assert highest["mean_predicted_loss"] == pytest.approx(np.sort(predicted.predicted)[-20:].mean())
    assert this["sample_ids"] == [each["sample_id"] for each in told["samples"]]
    assert (this["clusters_touched"], this["shared"], this["near_duplicate_pairs"]) == (1, 20, 0)
    assert this["mean_distance"] < min(random["mean_distance"], highest["mean_distance"])
    assert random["mean_predicted_loss"] < this["mean_predicted_loss"] < highest["mean_predicted_loss"]
    assert all(len(set(each["sample_ids"])) == 20 for each in told["comparison"])
    shown = command("prioritize", path, "--budget", 20, "--compare").out
    assert "highest predicted loss" in shown
    assert "clusters of the list touched" in shown


def test_the_order_of_the_evaluation_decides_nothing(tmp_path, command):
    generator = np.random.default_rng(1)
    vectors, ids = generator.normal(size=(80, 4)), [f"i{row:02}" for row in range(80)]
    moved = generator.permutation(80)
    columns: dict[str, Any] = {"metadata.size": ("float", generator.normal(size=80).tolist())}
    other = {"metadata.size": ("float", np.array(columns["metadata.size"][1])[moved].tolist())}
    one = write_run(tmp_path / "one", ["unlabeled"] * 80, columns, vectors, ids)
    two = write_run(tmp_path / "two", ["unlabeled"] * 80, other, vectors[moved], [ids[place] for place in moved])

    assert asked(command, one, "--budget", 15) == asked(command, two, "--budget", 15)


def test_without_a_loss_all_weigh_alike_and_it_says_so(tmp_path, command):
    vectors = np.random.default_rng(2).normal(size=(60, 4))
    vectors[3] = np.nan
    path = write_run(tmp_path / "run", ["unlabeled"] * 60, {"metadata.size": ("float", [1.0] * 60)}, vectors)
    finished = command("prioritize", path, "--budget", 10, "--json")
    samples = json.loads(finished.out)["samples"]

    assert all(each["predicted_loss"] is None for each in samples)
    assert "All samples weigh alike, since no loss can be predicted: " in said(finished)
    assert "Without a finite vector, and so not to be chosen: 1 of 60 samples" in said(finished)
    assert "s3" not in {each["sample_id"] for each in samples}
    assert [each["choice"] for each in asked(command, path, "--budget", 10, "--compare")["comparison"]] == [
        "random", "this list"
    ]  # fmt: skip


def test_a_person_reads_a_table(written, command):
    finished = command("prioritize", written[0], "--budget", 20)

    assert finished.code == 0
    assert "stands for" in " ".join(finished.out.split())
    assert "The first 12 are shown. 20 of 300 samples of unlabeled to label" in said(finished)


def test_the_list_is_drawn(written, command, tmp_path):
    path, *_ = written
    for name, options in (("coverage.png", ()), ("shares.png", ("--balance", "metadata.group"))):
        finished = command("prioritize", path, "--budget", 20, "--figure", tmp_path / name, *options)
        assert finished.code == 0, finished.err
        with Image.open(tmp_path / name) as picture:
            assert picture.width == 1800
    drawn = tmp_path / "list.svg"
    command("prioritize", path, "--budget", 20, "--figure", drawn)
    for word in ("this list", "not chosen", "the highest predicted loss"):
        assert word in drawn.read_text()
    assert "20 of 300 unlabeled samples of groups to label" in drawn.read_text()


def test_from_python(written):
    run = leaplab.open_run(written[0])
    answer = run.prioritize(20, balance="metadata.group", compare=True)

    assert len(answer.samples) == len(answer.rows) == 20
    assert [run.ids[row] for row in answer.rows] == [each.sample_id for each in answer.samples]
    ranks = run.read("analysis.labelling_rank")
    assert ranks[answer.rows].tolist() == list(range(1, 21))
    assert np.isnan(ranks).sum() == 630
    assert "to label" in answer._repr_html_()
    assert len(run.where("analysis.labelling_rank <= 5")) == 5


def test_the_second_answer_comes_from_the_cache(written, monkeypatch):
    first = leaplab.open_run(written[0]).prioritize(17)
    monkeypatch.setattr("leaplab.population.labelling.choose", lambda *_: pytest.fail("it was computed again"))

    assert leaplab.open_run(written[0]).prioritize(17).samples == first.samples


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--budget", 0), "--budget is how many samples to label, at least 1, not 0"),
        (("--budget", 301), "The budget is 301, but only 300 samples can be chosen in unlabeled"),
        (
            ("--budget", 5, "--state", "night"),
            "no state 'night' to choose from; it has training, validation, unlabeled",
        ),
        (("--budget", 5, "--balance", "metadata.x"), "This run has no column 'metadata.x'"),
        (("--budget", 5, "--apart", "metadata.x"), "This run has no column 'metadata.x'"),
        (("--budget", 5, "--balance", "metadata.nothing"), "None of these samples has a value of 'metadata.nothing'"),
        (("--budget", 5, "--apart", "metadata.nothing"), "None of these samples has a value of 'metadata.nothing'"),
        (("--budget", 5, "--balance", "metadata.height"), "'metadata.height' is a number on a scale (300 values"),
        (("--budget", 5, "--focus", 2), "--focus goes from 0 to 1, so not 2"),
        (("--budget", 5, "--space", "other"), "has no latent space 'other'"),
        (("--budget", 5, "--score", "metadata.height"), "'metadata.height' is no loss and no metric"),
        (("--budget", 5, "--where", "metadata.height > 100"), "The budget is 5, but only 0 samples can be chosen"),
        (("--budget", 5, "--after", "none.csv"), "none.csv cannot be read"),
    ],
)
def test_a_bad_question_is_a_sentence(written, command, options, sentence):
    finished = command("prioritize", written[0], *options)

    assert finished.code == 2
    assert sentence in said(finished)
    assert len(finished.err.strip().splitlines()) <= 4


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "name\nx\n", "has no column sample_id"),
        ("a.csv", "", "is no list of samples"),
        ("a.csv", "sample_id\nnobody\n", "This run has no sample 'nobody'"),
        ("a.json", "{", "is no list of samples"),
        ("a.json", "[1, 2]", "is no list of samples"),
        ("a.parquet", "text", "is no list of samples"),
        ("a.csv", b"\xff\xfe\x00", "is no list of samples"),
    ],
)
def test_a_former_list_that_is_none_is_a_sentence(written, command, tmp_path, name, content, sentence):
    former = tmp_path / name
    former.write_bytes(content if isinstance(content, bytes) else content.encode())
    finished = command("prioritize", written[0], "--budget", 5, "--after", former)

    assert finished.code == 2
    assert str(former) in finished.err.replace("\n", "")
    assert sentence in said(finished)


def test_no_state_of_unlabeled_and_no_latent_space_are_sentences(tmp_path, command):
    columns: Any = {"metadata.size": ("float", [1.0] * 9)}
    labelled = write_run(tmp_path / "labelled", ["training"] * 9, columns, np.ones((9, 2)))
    without = write_run(tmp_path / "without", ["unlabeled"] * 9, columns)
    blind = write_run(tmp_path / "blind", ["unlabeled"] * 9, columns, np.full((9, 2), np.nan))

    assert "it has training: name one by --state" in said(command("prioritize", labelled, "--budget", 2))
    assert "has no latent space" in said(command("prioritize", without, "--budget", 2))
    assert "holds NaN or infinity" in said(command("prioritize", blind, "--budget", 2))


def test_the_list_is_read_by_others(written, command, tmp_path):
    file = tmp_path / "list.parquet"
    command("prioritize", written[0], "--budget", 10, "-o", file)

    with duckdb.connect() as connection:
        query = f"select count(distinct sample_id), max(rank) from '{file}'"
        assert connection.execute(query).fetchall() == [(10, 10)]
