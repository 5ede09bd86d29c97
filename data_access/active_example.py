"""Which of the repository's examples is the active one."""

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from data_access.errors import DataError
from data_access.settings import load_settings

VARIABLE = "LEAP_EXAMPLE"
SETTINGS = "project_config.yaml"


class ProjectSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The root's project_config.yaml."""

    example: Annotated[str, Meta(min_length=1)]


def available_examples(root: Path) -> list[str]:
    """Every folder of the root that holds a leap_binder.py, sorted."""
    return sorted(binder.parent.name for binder in root.glob("*/leap_binder.py"))


def active_example(root: Path) -> str:
    """The example that `LEAP_EXAMPLE` names, else the root's project_config.yaml.

    Raises:
        DataError: there is no such example; names those that are.
    """
    named = os.environ.get(VARIABLE)
    origin = VARIABLE if named else str(root / SETTINGS)
    example = named or load_settings(root / SETTINGS, ProjectSettings).example
    return require_example(root, example, origin)


def require_example(root: Path, example: str, origin: str) -> str:
    """The name itself, when it is an example.

    Raises:
        DataError: it is none; `origin` says where the name came from.
    """
    available = available_examples(root)
    if example not in available:
        raise DataError(
            f"{origin} names the example '{example}', which does not exist; choose {' or '.join(available)}."
        )
    return example
