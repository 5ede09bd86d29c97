"""`leaplab domain-gap`."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.leaplab.runs_by_hand import write_run

SOURCE, TARGET = "metadata.town = 'ulm'", "state = 'unlabeled'"
PAIR = ("--source", SOURCE, "--target", TARGET)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two towns that are labelled, and a third state; `bonn` is like that, `ulm` is not."""
    generator = np.random.default_rng(5)
    town = np.repeat(["ulm", "bonn", "köln"], [110, 70, 130])
    far = town == "ulm"
    vectors = generator.normal(size=(310, 9))
    vectors[far, 2:4] -= 2.5
    columns: dict[str, tuple[Any, Any]] = {
        "metadata.town": ("string", town.tolist()),
        "metadata.fog": ("float", (generator.normal(size=310) + 2.0 * far).tolist()),
        "metadata.road": ("string", np.where(generator.random(310) < 0.2 + 0.6 * far, "wet", "dry").tolist()),
        "metadata.dust": ("float", generator.normal(size=310).tolist()),
        "metadata.frame": ("string", [f"frame {row}" for row in range(310)]),
    }
    states = ["training"] * 180 + ["unlabeled"] * 130
    return write_run(tmp_path_factory.mktemp("runs") / "towns", states, columns, vectors)


def words(text: str) -> str:
    return " ".join(text.split())


def test_json_has_what_is_written_of_it_and_nothing_else(towns, command, tmp_path):
    finished = command("domain-gap", towns, *PAIR, "--rank", "metadata.town = 'bonn'", "--json")
    told = json.loads(finished.out)

    assert list(told) == [
        "source", "target", "p", "statistics", "auc", "auc_interval", "centroid_distance", "power", "columns",
        "warnings", "ranked",
    ]  # fmt: skip
    assert told["source"] == {"where": SOURCE, "count": 110}
    assert told["target"] == {"where": TARGET, "count": 130}
    assert set(told["statistics"]) == {"energy", "moments"}
    assert told["p"] <= 0.01
    low, high = told["auc_interval"]
    assert 0.5 < low <= told["auc"] <= high <= 1
    # `town` is named by a condition, and `frame` has another value a sample.
    assert [each["column"] for each in told["columns"]] == ["metadata.fog", "metadata.road"]
    assert list(told["columns"][0]) == ["column", "type", "effect", "p", "source", "target", "shift"]
    assert told["columns"][0]["shift"] == pytest.approx(2, abs=0.4)
    assert told["columns"][1]["source"]["wet"] == pytest.approx(0.8, abs=0.12)
    assert told["columns"][1]["shift"] is None
    assert told["warnings"] == []
    assert re.fullmatch(
        r"110 and 130 samples would not show a shift .* AUC under 0\.[67]\d; .* 100 cases\.", told["power"]
    )
    assert len(told["ranked"]) == 70
    assert list(told["ranked"][0]) == ["sample_id", "state", "nearness", "centroid_distance"]
    assert np.mean([each["nearness"] > 0 for each in told["ranked"]]) > 0.9


def test_without_a_third_population_the_columns_are_written(towns, command, tmp_path):
    finished = command("domain-gap", towns, *PAIR, "-o", tmp_path / "gap.csv")
    rows = list(csv.DictReader((tmp_path / "gap.csv").read_text().splitlines()))

    assert finished.code == 0
    assert [row["column"] for row in rows] == ["metadata.fog", "metadata.road"]
    assert json.loads(rows[1]["source"])["wet"] == pytest.approx(0.8, abs=0.12)
    assert json.loads(command("domain-gap", towns, *PAIR, "--json").out)["ranked"] == []


def test_the_ranked_samples_are_written_the_nearest_first(towns, command, tmp_path):
    rank = ("--rank", "state = 'training'")
    command("domain-gap", towns, *PAIR, *rank, "-o", tmp_path / "near.csv")
    rows = list(csv.DictReader((tmp_path / "near.csv").read_text().splitlines()))
    nearness = [float(row["nearness"]) for row in rows]

    assert list(rows[0]) == ["sample_id", "state", "nearness", "centroid_distance"]
    assert len(rows) == 180
    assert nearness == sorted(nearness, reverse=True)
    first = {row["sample_id"] for row in rows[:60]}
    assert len(first & {f"s{row}" for row in range(110, 180)}) > 50
    # The columns are of the run now.
    chosen = command("similar", towns, "--id", rows[0]["sample_id"], "--where", "analysis.nearness > 0", "--json")
    assert chosen.code == 0


def test_a_person_reads_it(towns, command):
    finished = command("domain-gap", towns, *PAIR, "--rank", "metadata.town = 'bonn'")
    out = words(finished.out)

    assert "source: metadata.town = 'ulm' (110 samples)" in out
    assert "Source and target differ (p 0.00" in out
    assert "110 and 130 samples would not show a shift" in out
    assert "metadata.fog" in out
    assert re.search(r"metadata\.road 0\.\d\d (wet|dry): \d\d% (wet|dry): \d\d%", out)
    assert "Not compared, as the conditions name them: metadata.town." in out
    assert "70 samples are ranked" in out


def test_where_and_state_narrow_both(towns, command):
    options = ("--where", "metadata.fog < 1", "--state", "training", "--json")
    told = json.loads(
        command("domain-gap", towns, "--source", SOURCE, "--target", "metadata.town = 'bonn'", *options).out
    )
    empty = command("domain-gap", towns, *PAIR, "--state", "training")

    assert 5 < told["source"]["count"] < 40
    assert 50 < told["target"]["count"] < 70
    assert empty.code == 2
    assert "The target is empty: no sample meets `state = 'unlabeled'` within --where and --state" in words(empty.err)


def test_all_values_of_a_column_are_compared(towns, command, tmp_path):
    finished = command("domain-gap", towns, "--by", "metadata.town", "--json", "-o", tmp_path / "pairs.csv")
    told = json.loads(finished.out)
    rows = list(csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines()))

    assert told["populations"] == ["köln", "ulm", "bonn"]
    assert list(told) == ["populations", "matrix"]
    assert list(told["matrix"]) == ["auc", "p", "energy"]
    assert told["matrix"]["auc"][0][0] is None
    assert told["matrix"]["auc"][0][1] == told["matrix"]["auc"][1][0] > 0.95
    assert told["matrix"]["p"][0][1] < 0.05 < told["matrix"]["p"][0][2]
    assert [(row["source"], row["target"]) for row in rows] == [("köln", "ulm"), ("köln", "bonn"), ("ulm", "bonn")]
    assert float(rows[0]["energy"]) == told["matrix"]["energy"][0][1]


def test_a_person_reads_the_matrix(towns, command):
    out = words(command("domain-gap", towns, "--by", "metadata.town").out)

    assert re.search(r"ulm (0\.9\d|1\.00)\* (0\.9\d|1\.00)\* 110", out)
    assert "corrected for all pairs (Holm)" in out


@pytest.mark.parametrize("options", [(*PAIR,), (*PAIR, "--rank", "metadata.town = 'bonn'"), ("--by", "metadata.town")])
def test_figures_are_drawn(towns, command, tmp_path, options):
    for name in ("gap.png", "gap.svg"):
        assert command("domain-gap", towns, *options, "--figure", tmp_path / name).code == 0
    drawn = (tmp_path / "gap.svg").read_text()

    with Image.open(tmp_path / "gap.png") as picture:
        assert picture.width == 1800
    if "--by" in options:
        assert all(name in drawn for name in ("köln", "ulm", "bonn"))
        assert {f'id="{row}-{column}"' in drawn for row in range(3) for column in range(3) if row != column} == {True}
        assert 'id="0-0"' not in drawn
    else:
        assert all(text in drawn for text in ("metadata.fog", "wet", "source: metadata.town"))
        # A histogram a population of the number, two bars of each category; the third population on the map.
        populations = 3 if "--rank" in options else 2
        assert len(re.findall(r'id="column-0-\d"', drawn)) == populations
        assert len(re.findall(r'id="share-1-\d-\d"', drawn)) == 2 * populations
        assert ('id="population-2"' in drawn) == ("--rank" in options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Name two populations by --source and --target, or a column of several by --by."),
        (("--source", SOURCE), "Name two populations by --source and --target"),
        (("--by", "metadata.town", "--rank", SOURCE), "leave out --source, --target and --rank"),
        (("--by", "metadata.frame"), "No value of 'metadata.frame' has 30 samples or more"),
        (("--by", "metadata.none"), "no column 'metadata.none'"),
        ((*PAIR, "--space", "other"), "no latent space 'other'"),
        (("--source", "state = 'training'", "--target", SOURCE), "110 samples are in both populations, of 180 in"),
        ((*PAIR, "--figure", "gap.gif"), "let it end in .png or .svg"),
    ],
)  # fmt: skip
def test_a_bad_question_is_a_sentence(towns, command, options, told):
    finished = command("domain-gap", towns, *options)

    assert finished.code == 2
    assert told in words(finished.err)
    assert finished.out == ""
