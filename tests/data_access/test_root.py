from pathlib import Path

import pytest

from data_access import DataError, data_root, root


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LEAP_DATA_ROOT", "GENERIC_HOST_PATH", "IS_CLOUD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(root, "_CLOUD_MOUNT", tmp_path / "nfs")


def test_the_own_variable_goes_before_all_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "nfs").mkdir()
    monkeypatch.setenv("LEAP_DATA_ROOT", "/a")
    monkeypatch.setenv("GENERIC_HOST_PATH", "/b")
    monkeypatch.setenv("IS_CLOUD", "true")
    assert data_root() == Path("/a")
    monkeypatch.delenv("LEAP_DATA_ROOT")
    assert data_root() == Path("/b")
    monkeypatch.delenv("GENERIC_HOST_PATH")
    assert data_root() == tmp_path / "nfs"
    monkeypatch.delenv("IS_CLOUD")
    assert data_root() == tmp_path / "home/tensorleap/data"


def test_the_cloud_mount_counts_only_where_it_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IS_CLOUD", "true")
    assert data_root() == tmp_path / "home/tensorleap/data"


def test_the_cloud_mount_is_nfs() -> None:
    # The fixture replaces it, so its real value is read off a fresh copy of the module.
    import importlib.util

    spec = importlib.util.find_spec("data_access.root")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert Path("/nfs") == fresh._CLOUD_MOUNT


@pytest.mark.parametrize("name", ["LEAP_DATA_ROOT", "GENERIC_HOST_PATH", "IS_CLOUD"])
def test_a_variable_set_to_nothing_counts_as_unset(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "nfs").mkdir()
    monkeypatch.setenv(name, "")
    assert data_root() == tmp_path / "home/tensorleap/data"


@pytest.mark.parametrize("name", ["LEAP_DATA_ROOT", "GENERIC_HOST_PATH"])
def test_the_home_folder_is_expanded(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, "~/sets")
    assert data_root() == tmp_path / "home/sets"


def test_nothing_is_created(tmp_path: Path) -> None:
    assert not data_root().exists()
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_home_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", "~nobody-of-this-name/data")
    with pytest.raises(DataError, match="set LEAP_DATA_ROOT to the full path"):
        data_root()
