from pathlib import Path

import pytest

from data_access.errors import DataError
from data_access.substitute import MARKER, is_due, is_generated, replaced

WHAT, ELSEWHERE = "frames that were", "choose another folder"


def _write(folder: Path, text: str = "settings 1", content: str = "content") -> None:
    with replaced(folder, text) as aside:
        (aside / "data").write_text(content, encoding="utf-8")


def test_a_substitute_says_that_it_is_one_and_is_due_once(tmp_path: Path) -> None:
    folder = tmp_path / "below" / "data"
    assert is_due(folder, "settings 1", WHAT, ELSEWHERE)
    assert not is_generated(folder)
    _write(folder)
    assert is_generated(folder)
    assert sorted(path.name for path in folder.iterdir()) == [MARKER, "data"]
    assert not is_due(folder, "settings 1", WHAT, ELSEWHERE)


def test_one_of_other_settings_goes_only_when_it_may(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    _write(folder)
    with pytest.raises(DataError, match="generated with other settings: run again with --replace"):
        is_due(folder, "settings 2", WHAT, ELSEWHERE)
    assert is_due(folder, "settings 2", WHAT, ELSEWHERE, overwrite=True)
    _write(folder, "settings 2", "other")
    assert (folder / "data").read_text(encoding="utf-8") == "other"


@pytest.mark.parametrize("overwrite", [False, True])
def test_real_data_is_left_alone(overwrite: bool, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("real", encoding="utf-8")
    with pytest.raises(DataError, match="holds frames that were not generated, and is left alone: choose another"):
        is_due(tmp_path, "settings 1", WHAT, ELSEWHERE, overwrite)


def test_a_file_where_the_folder_belongs_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match="data is a file where a folder belongs"):
        is_due(tmp_path / "data", "settings 1", WHAT, ELSEWHERE)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert is_due(tmp_path / "data", "settings 1", WHAT, ELSEWHERE)
    _write(tmp_path / "data")
    assert is_generated(tmp_path / "data")


def test_what_is_interrupted_leaves_the_old_one_and_the_next_run_starts_anew(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    _write(folder)

    def interrupted() -> None:
        with replaced(folder, "settings 2") as aside:
            (aside / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert sorted(path.name for path in folder.iterdir()) == [MARKER, "data"]
    _write(folder, "settings 2", "other")
    assert sorted(path.name for path in folder.iterdir()) == [MARKER, "data"]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written: .* Make room or choose another"):
        _write(tmp_path / "file" / "data")
