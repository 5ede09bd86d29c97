"""Whether a module of the integration's own is missing from its bundle: the one answer for `check` and `bundle`."""

import ast
from collections.abc import Collection
from pathlib import Path

INIT = "__init__.py"


def is_left_out(path: str, root: Path, bundled: Collection[str]) -> bool:
    """Whether what imports a module would miss it where there is nothing but the bundle.

    An `__init__.py` that does nothing is not missed: its folder is a namespace package without it, as long as the
    bundle has anything of that folder.

    Args:
        path: of the module's file, relative to the root; of a folder without `__init__.py`, the folder.
        root: of the integration.
        bundled: the paths of the bundle's files.
    """
    if path in bundled:
        return False
    folder, _, name = path.rpartition("/")
    if name == INIT and does_nothing(root / path):
        return not any(other.startswith(f"{folder}/") for other in bundled)
    return name == INIT or path.endswith(".py") or not any(other.startswith(f"{path}/") for other in bundled)


def does_nothing(file: Path) -> bool:
    """Whether a Python file holds nothing but comments and texts."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return False
    return all(
        isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)) for one in body
    )
