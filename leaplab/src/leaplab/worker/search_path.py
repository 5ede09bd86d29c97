"""`sys.path` of an integration's process: its own modules before everything else, and nothing of leaplab's."""

from __future__ import annotations

import site
from pathlib import Path
from typing import Sequence


def integration_first(search_path: Sequence[str], root: str, package: Path, hidden: Sequence[str] = ()) -> list[str]:
    """The search path with the integration's root first.

    A folder that holds leaplab's package is left out: an editable installation puts leaplab's source there, and its
    whole repository, whose `mnist/` must not stand in for a stranger's. It stays where it is the integration's root or
    where this interpreter's distributions lie.

    Args:
        search_path: `sys.path` as the interpreter made it.
        root: of the integration.
        package: leaplab's own folder.
        hidden: further folders to leave out.
    """
    first = Path(root).resolve()
    installed = {Path(folder).resolve() for folder in [*site.getsitepackages(), site.getusersitepackages()]}
    left_out = {first, *(set(package.resolve().parents) - installed), *(Path(folder).resolve() for folder in hidden)}
    return [root, *(entry for entry in search_path if entry and Path(entry).resolve() not in left_out)]
