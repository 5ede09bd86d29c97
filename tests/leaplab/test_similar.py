"""`leaplab similar` and `Run.similar`, beside scikit-learn on the same vectors."""

import csv
import json

import duckdb
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

import leaplab
from leaplab.errors import LeaplabError


@pytest.fixture
def run(tiny_run):
    return leaplab.open_run(tiny_run.path)


def test_samples_are_those_that_scikit_learn_finds(tiny_run, command):
    finished = command("similar", tiny_run.path, "--id", "training-03", "--count", 6, "--json")
    told = json.loads(finished.out)

    vectors = tiny_run.latent("model").astype(np.float64)
    search = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(vectors)
    distances, rows = search.kneighbors(vectors[3:4])
    assert {key: told[key] for key in ("run", "space", "metric", "query")} == {
        "run": "tiny",
        "space": "model",
        "metric": "cosine",
        "query": ["training-03"],
    }
    assert [each["row"] for each in told["similar"]] == rows[0, 1:].tolist()
    np.testing.assert_allclose([each["distance"] for each in told["similar"]], distances[0, 1:], atol=1e-9)
    ids = tiny_run.read(["sample_id", "state"])
    for each in told["similar"]:
        assert each["sample_id"] == ids["sample_id"][each["row"]]
        assert each["state"] == ids["state"][each["row"]]


def test_conditions_and_states_choose_what_may_be_found(tiny_run, command):
    options = ("--where", "metadata.label = 1", "--state", "validation", "--metric", "euclidean", "--count", 50)
    told = json.loads(command("similar", tiny_run.path, "--id", "training/training-03", *options, "--json").out)

    table = tiny_run.read(["state", "metadata.label"])
    wanted = np.flatnonzero((table["state"] == "validation") & (table["metadata.label"] == 1))
    assert sorted(each["row"] for each in told["similar"]) == wanted.tolist()
    distances = [each["distance"] for each in told["similar"]]
    assert distances == sorted(distances)


def test_several_are_looked_from_at_their_centre(run, tiny_run):
    found = run.similar(["training-03", "training-05"], count=4, metric="euclidean", space="rows")

    vectors = tiny_run.latent("rows").astype(np.float64)
    distances = np.linalg.norm(vectors - vectors[[3, 5]].mean(axis=0), axis=1)
    distances[[3, 5]] = np.inf
    assert [each.row for each in found.similar] == np.argsort(distances, kind="stable")[:4].tolist()
    assert found.table()["row"] == [each.row for each in found.similar]


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_table_is_written_and_not_overwritten(tiny_run, command, tmp_path, suffix):
    path = tmp_path / f"near.{suffix}"
    options = ("similar", tiny_run.path, "--id", "training-03", "--count", 3, "-o", path)
    told = json.loads(command(*options, "--json").out)["similar"]

    if suffix == "csv":
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert [(row["sample_id"], int(row["row"])) for row in rows] == [(e["sample_id"], e["row"]) for e in told]
    elif suffix == "json":
        assert json.loads(path.read_text()) == told
    else:
        with duckdb.connect() as connection:
            found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        assert found == [tuple(each.values()) for each in told]
    refused = command(*options)
    assert refused.code == 2
    assert "is there already; name another file, or replace it by --overwrite" in " ".join(refused.err.split())
    assert command(*options, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--id", "nobody"), "This run has no sample 'nobody'"),
        ((), "Name at least one sample to look from"),
        (("--id", "training-03", "--space", "none"), "has no latent space 'none'; it has model, rows"),
        (("--id", "training-03", "--state", "test"), "This run has no state 'test'; it has training, validation"),
        (("--id", "training-03", "--where", "nothing = 1"), "nothing"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(tiny_run, command, options, said):
    finished = command("similar", tiny_run.path, *options)

    assert finished.code == 2
    assert said in " ".join(finished.err.split())


def test_nothing_is_near_to_a_vector_that_is_not_finite(run_with_nan):
    with pytest.raises(LeaplabError, match="The vector of 'b' holds NaN or infinity, so nothing is near to it"):
        run_with_nan.similar("b")
    assert [each.sample_id for each in run_with_nan.similar("a").similar] == ["c"]


@pytest.fixture
def run_with_nan(tmp_path, make_manifest):
    from leaplab.store.writing import PartValues, WrittenRun

    store = WrittenRun.begin(tmp_path / "nan", make_manifest({"training": (3,)}))
    vectors = np.array([[1, 0], [np.nan, 0], [1, 1]], np.float32)
    store.write_part(PartValues(store.manifest.parts[0], ["a", "b", "c"], {}, {"model": vectors}, {}, {}))
    return leaplab.open_run(store.path)
