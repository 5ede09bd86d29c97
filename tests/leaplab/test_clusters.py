"""`leaplab clusters` and `Run.clusters`."""

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import leaplab
from leaplab.protocol.plan import Part
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest
from leaplab.store.writing import PartValues, WrittenRun

COLUMNS = {"metadata.kind": "string", "metadata.height": "float", "metadata.noise": "float", "loss.a": "float"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Three groups of vectors: of one the height is planted, of one the kind, of one nothing; and their groups."""
    generator = np.random.default_rng(0)
    groups = generator.permutation(np.repeat([0, 1, 2], [300, 200, 100]))
    vectors = (generator.normal(0, 9, (3, 12))[groups] + generator.normal(size=(600, 12))).astype(np.float32)
    vectors[5] = np.nan
    height = generator.normal(size=600) + 3.0 * (groups == 0)
    kind = np.where((groups == 1) & (generator.random(600) < 0.9), "bolt", "nut")
    manifest = Manifest(
        schema=SCHEMA, identity="one", basis="any", created="2026-01-02T03:04:05+00:00", integration="", entry_file="",
        model="", model_option=None, model_format="onnx", latent_source="", states={"training": 400, "test": 200},
        parts=(Part(0, "training", 0, 400), Part(1, "test", 0, 200)),
        columns={name: ColumnEntry(type_) for name, type_ in COLUMNS.items()},
        predictions=(), visualizers=(), notices=(),
    )  # fmt: skip
    store = WrittenRun.begin(tmp_path_factory.mktemp("runs") / "bolts", manifest)
    for part, rows in zip(manifest.parts, (slice(0, 400), slice(400, 600)), strict=True):
        values = {
            "metadata.kind": kind[rows].tolist(),
            "metadata.height": height[rows].tolist(),
            "metadata.noise": generator.normal(size=600)[rows].tolist(),
            "loss.a": generator.normal(size=600)[rows].tolist(),
        }
        ids = [f"{part.state}-{number}" for number in range(part.stop - part.start)]
        store.write_part(PartValues(part, ids, values, {"model": vectors[rows]}, {}, {}))
    store.finish()
    return store.path, groups


def test_the_groups_are_found_and_the_planted_columns_named_first(written, command, tmp_path):
    path, groups = written
    told = json.loads(command("clusters", path, "--json", "-o", tmp_path / "c.csv").out)

    assert (told["run"], told["space"], told["chosen_by"]) == ("bolts", "model", "silhouette")
    whole = [each for each in told["clusters"] if each["parent"] is None]
    assert [each["size"] for each in whole] == [300 - (groups[5] == 0), 200 - (groups[5] == 1), 100 - (groups[5] == 2)]
    first, second = whole[0]["differences"][0], whole[1]["differences"][0]
    assert first["column"] == "metadata.height"
    assert first["inside"] - first["outside"] == pytest.approx(3, abs=0.4)
    assert 0.9 < first["effect"] <= 1
    assert second["column"] == "metadata.kind"
    assert second["inside"]["bolt"] == pytest.approx(0.9, abs=0.06)
    assert second["outside"]["bolt"] == 0
    # The other groups lack what these have; what is chance is named of none.
    named = {each["column"] for cluster in told["clusters"] for each in cluster["differences"]}
    assert named == {"metadata.height", "metadata.kind"}

    rows = list(csv.DictReader((tmp_path / "c.csv").read_text().splitlines()))
    assert list(rows[0]) == ["sample_id", "state", "cluster", "distance"]
    assert len(rows) == 599  # one has no finite vector
    assert adjusted_rand_score(np.delete(groups, 5), [int(row["cluster"]) for row in rows]) == 1


def test_a_second_look_is_the_same_and_comes_from_the_cache(written, monkeypatch):
    path, _ = written
    first = leaplab.open_run(path).clusters()
    monkeypatch.setattr("leaplab.population.clusters.cluster", lambda *_: pytest.fail("it was computed again"))
    second = leaplab.open_run(path).clusters()

    assert first.table() == second.table()
    assert first.clusters == second.clusters


def test_conditions_choose_the_samples(written, command):
    path, _ = written
    options = ("--where", "metadata.kind = 'bolt'", "--state", "training", "--clusters", 2, "--json")
    told = json.loads(command("clusters", path, *options).out)

    run = leaplab.open_run(path)
    wanted = len(run.where("metadata.kind = 'bolt' and state = 'training'"))
    whole = [each["size"] for each in told["clusters"] if each["parent"] is None]
    assert (len(whole), sum(whole)) == (2, wanted)
    assert told["chosen_by"] == "given"


def test_a_person_reads_a_table(written, command):
    finished = command("clusters", written[0])

    assert finished.code == 0
    assert "metadata.kind bolt: " in " ".join(finished.out.split())
    assert "3 clusters of 599 samples, by silhouette" in " ".join(finished.err.split())


def test_no_sample_is_a_sentence(written, command):
    finished = command("clusters", written[0], "--where", "metadata.height > 1000")

    assert finished.code == 2
    assert "There is no sample to make clusters of; widen the condition" in " ".join(finished.err.split())


def test_a_run_of_an_integration_has_clusters(tiny_run, command):
    told = json.loads(command("clusters", tiny_run.path, "--json").out)

    assert sum(each["size"] for each in told["clusters"] if each["parent"] is None) == tiny_run.samples
