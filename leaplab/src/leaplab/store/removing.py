"""Removing a run, and what writers that were killed have left of one."""

import os
import re
import shutil
from pathlib import Path

from leaplab.store.remote import remote_of

REMOVED = ".removed"
"""Ends the name of a run that is being deleted."""


def remove_run(path: Path) -> None:
    """Delete a run. One that is interrupted leaves no half of a run under its name."""
    remote = remote_of(path)
    if remote is not None:
        remote.remove()
    if not path.exists():  # of a run elsewhere, nothing stands here yet
        return
    doomed = path.with_name(f".{path.name}.{os.getpid()}{REMOVED}")
    shutil.rmtree(doomed, ignore_errors=True)  # of an interrupted process that had the same number
    path.replace(doomed)
    shutil.rmtree(doomed)


def clear_leftovers(path: Path) -> None:
    """Remove what writers that were killed have left in a run and beside it; the run's lock must be held."""
    beside = re.compile(rf"\.{re.escape(path.name)}\.\d+{re.escape(REMOVED)}")
    for found in path.parent.iterdir() if path.parent.is_dir() else ():
        if beside.fullmatch(found.name):
            shutil.rmtree(found, ignore_errors=True)
    # What analyses write in `derived` may be of a process that is alive.
    for folder in path.iterdir() if path.is_dir() else ():
        for found in folder.rglob(".*.part") if folder.is_dir() and folder.name != "derived" else ():
            found.unlink(missing_ok=True)
    for found in path.glob(".*.part"):
        found.unlink(missing_ok=True)
