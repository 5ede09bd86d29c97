"""The process of an integration, run by path in its interpreter: `python start.py DESCRIPTOR MEMORY ROOT [HIDDEN ...]`.

DESCRIPTOR is the number of an open socket that leads to the lab, MEMORY that of an open file in which the process notes
where it is, ROOT the integration's folder, and HIDDEN are folders that must not be on the search path.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import types


def main(arguments: list[str]) -> None:
    """Make leaplab's two shared packages importable, put the integration's modules first, and serve it."""
    descriptor, memory, root, *hidden = arguments
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - before anything else is imported
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]  # noqa: PTH100
    # A bare package: leaplab's own __init__ and what it needs are the lab's, and not installed here.
    bare = types.ModuleType("leaplab")
    bare.__path__ = [os.path.dirname(here)]  # noqa: PTH120
    sys.modules["leaplab"] = bare
    faulthandler.enable()  # a crash, or SIGABRT from the lab, tells where
    for each in (descriptor, memory):
        os.set_inheritable(int(each), False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    from pathlib import Path

    from leaplab.worker.search_path import integration_first
    from leaplab.worker.serving import serve

    sys.path[:] = integration_first(sys.path, root, Path(here).parent, hidden)
    sys.argv = [sys.argv[0]]
    serve(int(descriptor), int(memory))


if __name__ == "__main__":
    main(sys.argv[1:])
