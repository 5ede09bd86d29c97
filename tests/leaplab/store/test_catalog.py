from pathlib import Path

import pytest

from leaplab.errors import LeaplabError
from leaplab.store.catalog import catalog, find_run
from leaplab.store.writing import PartValues, WrittenRun


@pytest.fixture
def runs(tmp_path, make_manifest):
    """old and new are complete, newer is not, broken cannot be read, notes is no run."""
    for name, hour, whole in (("old", 1, True), ("new", 2, True), ("newer", 3, False)):
        manifest = make_manifest({"training": (2, 1)}, created=f"2026-01-02T0{hour}:00:00+00:00", model=f"{name}.onnx")
        store = WrittenRun.begin(tmp_path / name, manifest)
        for part in manifest.parts if whole else manifest.parts[:1]:
            store.write_part(PartValues(part, ["a"] * (part.stop - part.start), {}, {}, {}, {}))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".old.123.removed").mkdir()
    (tmp_path / ".old.123.removed" / "manifest.json").write_text("{}")
    return tmp_path


def test_runs_are_listed_newest_first_with_their_condition(runs):
    entries = catalog(runs)

    assert [(entry.name, entry.samples, entry.model) for entry in entries] == [
        ("newer", 3, "newer.onnx"),
        ("new", 3, "new.onnx"),
        ("old", 3, "old.onnx"),
        ("broken", 0, ""),
    ]
    assert [entry.condition for entry in entries[:3]] == ["incomplete (1 of 2 parts missing)", "complete", "complete"]
    assert "cannot be read" in entries[3].condition
    assert [entry.created[:13] for entry in entries] == ["2026-01-02T03", "2026-01-02T02", "2026-01-02T01", ""]


def test_folder_without_runs_lists_none(tmp_path):
    assert catalog(tmp_path) == catalog(tmp_path / "nowhere") == []


def test_newest_complete_run_is_the_default(runs):
    assert find_run(runs, None) == runs / "new"


def test_run_is_found_by_name_and_by_path(runs, monkeypatch):
    assert find_run(runs, Path("old")) == runs / "old"
    monkeypatch.chdir(runs)
    assert find_run(Path("elsewhere"), Path("old")) == Path("old")
    assert find_run(Path("elsewhere"), runs / "old") == runs / "old"


def test_missing_run_is_told(runs, tmp_path):
    with pytest.raises(LeaplabError, match="There is no run 'notes' in"):
        find_run(runs, Path("notes"))
    with pytest.raises(LeaplabError, match="There is no complete run in .*; make one by `leaplab evaluate`"):
        find_run(tmp_path / "nowhere", None)
