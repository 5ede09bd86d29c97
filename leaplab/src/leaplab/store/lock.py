"""A run is written by one process at a time."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leaplab.errors import LeaplabError


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold a run's name for writing, until the block or the process ends, however it ends.

    The lock is a file beside the run, because the run's folder may be replaced meanwhile.

    Raises:
        LeaplabError: another process holds it, or the folder of the runs cannot be written.
    """
    path = run.with_name(f".{run.name}.lock")
    try:
        run.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _held(path, run)
    except OSError as error:
        raise LeaplabError(
            f"{run.parent} cannot be written ({error.strerror}); name another folder by --runs."
        ) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: whoever waits for this file looks whether it is still the one
        os.close(descriptor)


def _held(path: Path, run: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 200).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise LeaplabError(f"{run} is being written by {owner}; wait for it, or choose another --name.") from None
        except BaseException:
            os.close(descriptor)
            raise
        if _is_file(path, descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
            return descriptor
        os.close(descriptor)  # its former owner has just removed it


def _is_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
