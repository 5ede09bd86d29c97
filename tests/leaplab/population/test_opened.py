"""A run in a notebook: everything through `leaplab.open_run`."""

import importlib
import re
import subprocess
import sys

import duckdb
import numpy as np
import pytest

import leaplab
from leaplab.errors import LeaplabError


@pytest.fixture
def run(tiny_run):
    return leaplab.open_run(tiny_run.path.name, runs=tiny_run.path.parent)


def test_run_tells_what_it_holds(run, tiny_run):
    assert (run.name, run.samples, run.states) == ("tiny", 50, {"training": 25, "validation": 25})
    assert run.spaces == {"model": 4, "rows": 6}
    assert run.columns["metadata.shade"].kind == "categorical"
    assert run.columns["metric.accuracy"].direction == "upward"
    assert run.ids[:2] == ["training-00", "training-01"]
    assert repr(run) == (f"<leaplab run 'tiny': 50 samples (25 training, 25 validation), {len(run.columns)} columns>")
    assert leaplab.open_run(tiny_run.path).samples == 50  # by its folder
    assert leaplab.open_run(runs=tiny_run.path.parent).name == "tiny"  # the newest


def test_values_are_those_of_the_files(run, tiny_run):
    files = [str(path) for path in sorted((tiny_run.path / "samples").glob("*.parquet"))]
    query = (
        'SELECT sample_id, "loss.cross_entropy" FROM read_parquet(?)'
        " WHERE state = 'validation' AND \"metadata.label\" = 1"
    )
    with duckdb.connect() as connection:
        expected = connection.execute(query, [files]).fetchall()

    where = "state = 'validation' and metadata.label = 1"
    assert 0 < len(expected) < 25
    assert run.read("sample_id", where=where).tolist() == [sample_id for sample_id, _ in expected]
    table = run.read(["sample_id", "loss.cross_entropy"], where=where)
    assert list(zip(*(values.tolist() for values in table.values()), strict=True)) == expected
    assert len(run.read("loss.cross_entropy")) == 50
    assert [run.ids[row] for row in run.where(where)] == [sample_id for sample_id, _ in expected]


def test_vectors_are_those_of_the_files_with_their_rows(run, tiny_run):
    whole = np.concatenate([np.load(path) for path in sorted((tiny_run.path / "latent" / "rows").glob("*.npy"))])

    np.testing.assert_array_equal(run.vectors("rows").values, whole)
    some = run.vectors("rows", where="state = 'validation'")
    assert some.rows.tolist() == list(range(25, 50))
    np.testing.assert_array_equal(some.values, whole[25:])
    assert run.vectors().values.shape == (50, 4)
    assert run.map().shape == (50, 2)


def test_run_draws_itself(run):
    page = run._repr_html_()

    assert "metadata.shade" in page
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert picture is not None


def test_names_are_text_on_the_page_and_no_markup(make_population):
    from leaplab.population.opened import Run

    page = Run(make_population({"metadata.<b>x": ("int", [1, 2])}))._repr_html_()

    assert "metadata.&lt;b&gt;x" in page
    assert "<b>x" not in page


def test_frame_needs_pandas_and_says_so(run, monkeypatch):
    def absent(name, *arguments) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(LeaplabError, match="needs pandas, which is not installed here"):
        run.frame()


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda run: run.read("loss.nothing"), "no column 'loss.nothing'"),
        (lambda run: run.read("loss.cross_entropy", where="label = 1"), "names 'label', which is no column"),
        (lambda run: run.vectors("deep"), "no latent space 'deep'; it has model, rows"),
        (lambda run: leaplab.open_run("gone", runs=run.path.parent), "no run 'gone'"),
    ],
)
def test_what_does_not_exist_is_one_sentence(run, ask, told):
    with pytest.raises(LeaplabError) as error:
        ask(run)

    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_importing_leaplab_costs_nothing_and_a_run_needs_no_server():
    script = (
        "import sys, leaplab\n"
        "assert not {'numpy', 'duckdb', 'fastapi'} & set(sys.modules), 'imported too early'\n"
        "leaplab.open_run\n"
        "assert not {'fastapi', 'uvicorn', 'typer', 'tensorflow', 'code_loader'} & set(sys.modules), 'a server'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = leaplab.nothing
