"""An example's settings with one line changed, for the tests of its config."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


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
