"""`sys.path` of a child process: the integration's own modules before everything else, and none of ours."""

import site
from collections.abc import Sequence
from pathlib import Path


def integration_first(search_path: Sequence[str], root: str, package_home: str) -> list[str]:
    """The search path with the integration's root first.

    The folder that holds leaplab's package is left out, so that a `mnist/` beside it cannot stand in for a stranger's
    `mnist/`; it stays where it is the integration's root or an installation's site-packages. `leaplab` itself is
    already imported by then and finds its modules by its own path.
    """
    home = Path(package_home).resolve()
    installed = {Path(folder).resolve() for folder in [*site.getsitepackages(), site.getusersitepackages()]}
    keep_home = home in installed
    others = [entry for entry in search_path if entry and Path(entry).resolve() != Path(root).resolve()]
    return [root, *(entry for entry in others if keep_home or Path(entry).resolve() != home)]
