"""An example's settings with one line changed, for the tests of its config."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from data_access.errors import SettingsError


def load_changed(module: ModuleType, change: tuple[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `load_config` of an example's config module gives where project_config.yaml has `change` (old, new) made.

    The changed file lies in `folder`.
    """
    old, new = change
    text = (module.HERE / "project_config.yaml").read_text(encoding="utf-8")
    assert old in text, "the settings file no longer holds what this test changes"
    (folder / "project_config.yaml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(module, "HERE", folder)
    return module.load_config.__wrapped__()


def assert_names_file_and_key(
    module: ModuleType, change: tuple[str, str], key: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`load_changed` must fail with an error that names the file and holds `key`."""
    with pytest.raises(SettingsError) as raised:
        load_changed(module, change, folder, monkeypatch)
    assert str(folder / "project_config.yaml") in str(raised.value)
    assert key in str(raised.value)


def assert_frozen(config: object, path: str) -> None:
    """The value at a path such as `input.height` must not be one that can be set."""
    *parents, key = path.split(".")
    owner = config
    for parent in parents:
        owner = getattr(owner, parent)
    with pytest.raises(AttributeError):
        setattr(owner, key, 1)
