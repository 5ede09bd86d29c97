"""Functions of numpy that an integration replaces; leaplab's side of its process calls them, too."""

from __future__ import annotations

from typing import Any

import numpy as np

ORIGINAL: dict[str, Any] = {name: value for name, value in vars(np).items() if callable(value) and name[0] != "_"}
"""As they were before any code of an integration ran."""


def replaced_functions() -> list[str]:
    """Which are not numpy's own any more: `numpy.stack`, say."""
    return [f"numpy.{name}" for name, value in ORIGINAL.items() if getattr(np, name, None) is not value]
