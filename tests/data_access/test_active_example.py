from pathlib import Path

import pytest

from data_access.active_example import active_example, available_examples, require_example
from data_access.errors import DataError, SettingsError


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEAP_EXAMPLE", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("zebra", "apple"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "leap_binder.py").touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "leap_binder.py").touch()
    (tmp_path / "project_config.yaml").write_text("example: zebra\n")
    return tmp_path


def test_an_example_is_a_folder_that_holds_a_binder(root: Path) -> None:
    assert available_examples(root) == ["apple", "zebra"]


def test_the_settings_name_the_active_example(root: Path) -> None:
    assert active_example(root) == "zebra"


def test_the_variable_goes_before_the_settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAP_EXAMPLE", "apple")
    assert active_example(root) == "apple"
    (root / "project_config.yaml").unlink()
    assert active_example(root) == "apple"


def test_a_variable_set_to_nothing_counts_as_unset(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAP_EXAMPLE", "")
    assert active_example(root) == "zebra"


def test_an_unknown_name_is_an_error_that_says_where_it_stands_and_what_there_is(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "project_config.yaml").write_text("example: docs\n")
    with pytest.raises(DataError) as raised:
        active_example(root)
    assert str(raised.value) == (
        f"{root / 'project_config.yaml'} names the example 'docs', which does not exist; choose apple or zebra."
    )
    monkeypatch.setenv("LEAP_EXAMPLE", "pear")
    with pytest.raises(DataError, match="^LEAP_EXAMPLE names the example 'pear', which does not exist; choose apple"):
        active_example(root)


@pytest.mark.parametrize("settings", ["", "example: ''\n", "example: 3\n", "exmaple: zebra\n"])
def test_bad_settings_are_an_error_that_names_file_and_key(settings: str, root: Path) -> None:
    (root / "project_config.yaml").write_text(settings)
    with pytest.raises(SettingsError, match="exa?m.*ple") as raised:
        active_example(root)
    assert str(root / "project_config.yaml") in str(raised.value)


def test_a_name_that_exists_is_returned(root: Path) -> None:
    assert require_example(root, "apple", "The command line") == "apple"
