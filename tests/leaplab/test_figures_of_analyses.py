"""`--figure` of `leaplab similar`, `clusters` and `insights`."""

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import leaplab
from leaplab.protocol.plan import Part
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest
from leaplab.store.writing import PartValues, WrittenRun

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def write_run(tmp_path_factory):
    """`write_run(vectors)`: 200 bolts and 100 nuts of one state, of which the nuts have the larger loss."""

    def write(vectors: Any) -> Any:
        generator = np.random.default_rng(0)
        manifest = Manifest(
            schema=SCHEMA, identity="one", basis="any", created="2026-01-02T03:04:05+00:00", integration="/nowhere",
            entry_file="leap_binder.py", model="", model_option=None, model_format="onnx", latent_source="",
            states={"validation": 300}, parts=(Part(0, "validation", 0, 300),),
            columns={"metadata.label": ColumnEntry("string"), "loss.a": ColumnEntry("float")},
            predictions=(), visualizers=(), notices=(),
        )  # fmt: skip
        store = WrittenRun.begin(tmp_path_factory.mktemp("runs") / "bolts", manifest)
        values = {
            "metadata.label": ["bolt"] * 200 + ["nut"] * 100,
            "loss.a": (generator.random(300) + np.repeat([0, 5], [200, 100])).tolist(),
        }
        latents = {} if vectors is None else {"model": vectors.astype(np.float32)}
        ids = [f"piece_{number:03}" for number in range(300)]
        store.write_part(PartValues(manifest.parts[0], ids, values, latents, {}, {}))
        store.finish()
        return store.path

    return write


@pytest.fixture(scope="module")
def written(write_run):
    """Two groups of vectors, a hundred and two hundred."""
    generator = np.random.default_rng(1)
    return write_run(generator.normal(size=(300, 8)) + 12.0 * np.repeat([0, 1], [200, 100])[:, None])


def texts_of(path: Any) -> Any:
    return ["".join(each.itertext()) for each in ElementTree.parse(path).iter(f"{SVG}text")]


def points_of(path: Any, gid: Any) -> Any:
    """How many points a layer has."""
    groups = [group for group in ElementTree.parse(path).iter(f"{SVG}g") if group.get("id") == gid]
    defined = {id(each) for group in groups for part in group.iter(f"{SVG}defs") for each in part.iter()}
    shapes = (each for group in groups for each in group.iter() if each.tag in (f"{SVG}use", f"{SVG}path"))
    return sum(id(each) not in defined for each in shapes)


def said(finished: Any) -> Any:
    return " ".join(finished.err.split())


def test_clusters_are_drawn_with_what_sets_them_apart(written, command, tmp_path):
    path = tmp_path / "clusters.svg"
    finished = command("clusters", written, "--figure", path)

    assert finished.code == 0
    assert f"{path} shows them" in said(finished)
    texts = texts_of(path)
    assert "2 clusters of 300 samples of bolts" in texts
    assert "metadata.label bolt: 100% (else 0%)" in texts
    assert {"200", "100"} <= set(texts)
    assert points_of(path, "groups-0") == 300


def test_samples_that_are_in_no_cluster_are_grey(written, command, tmp_path):
    path = tmp_path / "clusters.svg"
    command("clusters", written, "--where", "metadata.label = 'bolt'", "--clusters", 3, "--figure", path)

    assert "3 clusters of 200 samples of bolts" in texts_of(path)
    assert (points_of(path, "groups-0"), points_of(path, "others")) == (200, 100)


def test_insights_are_drawn_with_all_their_members(written, command, tmp_path):
    path = tmp_path / "insights.svg"
    options = ("insights", written, "--members", 1, "--kind", "low_performance")
    finished = command(*options, "--figure", path)

    assert finished.code == 0
    (first, *_) = leaplab.open_run(written).insights("low_performance", members=None).insights
    assert first.member_count > 1
    words = " ".join(texts_of(path))
    assert f"severity {first.severity:.2f}, {first.member_count} samples of validation" in words
    assert first.title in words
    assert points_of(path, "finding-0") == first.member_count


def test_a_limit_holds_for_the_figure(written, command, tmp_path):
    path = tmp_path / "insights.svg"
    command("insights", written, "--limit", 0, "--figure", path)

    assert "0 insights of bolts" in texts_of(path)
    assert points_of(path, "others") == 300


@pytest.mark.parametrize("vectors", [None, np.full((300, 2), np.nan)], ids=["none", "not finite"])
def test_without_a_map_severities_are_bars(write_run, command, tmp_path, vectors):
    run, path = write_run(vectors), tmp_path / "insights.svg"
    assert command("insights", run, "--kind", "low_performance", "--figure", path).code == 0

    told = leaplab.open_run(run).insights("low_performance").insights
    words = " ".join(texts_of(path))
    assert "Severity goes from 0 to 1" in words
    assert all(each.title in words for each in told if each.parent is None)
    assert points_of(path, "bar-0") == 2


def test_similar_samples_are_drawn_by_the_integration(tiny_run, command, tmp_path, plain_functions):
    path = tmp_path / "near.png"
    finished = command("similar", tiny_run.path, "--id", "training-03", "--count", 5, "--figure", path)

    assert finished.code == 0
    with Image.open(path) as picture:
        assert (picture.format, picture.width) == ("PNG", 1800)
    command("similar", tiny_run.path, "--id", "training-03", "--count", 5, "--figure", path.with_suffix(".svg"))
    texts = texts_of(path.with_suffix(".svg"))
    found = leaplab.open_run(tiny_run.path).similar(["training-03"], count=5)
    assert "5 samples nearest to training-03" in texts
    assert all(each.sample_id in texts and f"{each.distance:.3g} away" in texts for each in found.similar)
    labels = tiny_run.read(["metadata.label"])["metadata.label"]
    assert texts.count(f"label {int(labels[3])}") == 1 + sum(labels[each.row] == labels[3] for each in found.similar)
    assert len(list(ElementTree.parse(path.with_suffix(".svg")).iter(f"{SVG}image"))) == 6


def test_where_the_integration_is_gone_the_map_shows_them(written, command, tmp_path):
    path = tmp_path / "near.svg"
    options = ("similar", written, "--id", "piece_003", "--id", "piece_004", "--count", 7)
    finished = command(*options, "--figure", path, "--json")

    assert finished.code == 0
    assert "The integration is no longer at /nowhere" in said(finished)
    assert "The figure shows them on the map instead" in said(finished)
    assert (points_of(path, "query"), points_of(path, "near"), points_of(path, "others")) == (2, 7, 291)
    found = leaplab.open_run(written).similar(["piece_003", "piece_004"], count=7)
    texts = texts_of(path)
    assert "7 samples nearest to the centre of 2 samples" in texts
    assert all(f"{each.sample_id}, bolt, {each.distance:.3g} away" in texts for each in found.similar)


def test_where_every_visualizer_fails_the_map_shows_them(make_project, evaluated, command, tmp_path):
    project = make_project(
        "tiny",
        {"leap_binder.py": ("return LeapImage((image[0].clip(0, 1) * 255).astype(np.uint8))", 'raise OSError("lost")')},
    )
    run = evaluated(tmp_path / "runs", project)
    finished = command("similar", run.path, "--id", "training-03", "--figure", tmp_path / "near.svg")

    assert finished.code == 0
    assert "OSError: lost" in said(finished)
    assert "The figure shows them on the map instead" in said(finished)


COMMANDS = {"similar": ("--id", "piece_003"), "clusters": (), "insights": ()}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("file", ["figure.jpg", "figure", "png"])
def test_another_suffix_is_refused_before_anything_is_computed(written, command, tmp_path, monkeypatch, name, file):
    monkeypatch.setattr("leaplab.store.run.RunStore.open", lambda *_: pytest.fail("the run was opened"))
    finished = command(name, written, *COMMANDS[name], "--figure", tmp_path / file)

    assert finished.code == 2
    assert f"{tmp_path / file} is no name of a figure; let it end in .png or .svg." in said(finished)
    assert not (tmp_path / file).exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_is_not_replaced_unless_that_is_said(written, command, tmp_path, name):
    path = tmp_path / "figure.PNG"
    path.write_bytes(b"mine")
    options = (name, written, *COMMANDS[name], "--figure", path)
    finished = command(*options)

    assert finished.code == 2
    assert "is there already; name another file, or replace it by --overwrite" in said(finished)
    assert path.read_bytes() == b"mine"
    assert command(*options, "--overwrite").code == 0
    with Image.open(path) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_that_cannot_be_written_is_a_sentence(written, command, tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "figure.svg"
    finished = command(name, written, *COMMANDS[name], "--figure", path)

    assert finished.code == 2
    assert re.search(r"figure\.svg cannot be written \(.+\); name another file by --figure", said(finished))
    assert "Traceback" not in finished.err


def test_json_stays_alone_on_standard_output(written, command, tmp_path):
    plain = command("clusters", written, "--json").out

    assert command("clusters", written, "--json", "--figure", tmp_path / "figure.png").out == plain


def test_figures_are_no_cost_where_none_is_asked_for(written, command, monkeypatch):
    import sys

    for module in [name for name in sys.modules if name.startswith("matplotlib") or name == "leaplab.cli.figures"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "leaplab.cli.figures", None)  # an import of it fails

    assert command("clusters", written).code == 0
