"""A run is written by one process at a time, and so is what a person adds to it."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leaplab.errors import LeaplabError

PATIENCE = 10.0
"""Seconds that one waits for its turn."""
PAUSE = 0.01


class _HeldError(Exception):
    """Somebody else holds the lock; who that is."""


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold a run's name for writing, until the block or the process ends, however it ends.

    The lock is a file beside the run, because the run's folder may be replaced meanwhile.

    Raises:
        LeaplabError: another process holds it, or the folder of the runs cannot be written.
    """
    path = _lock_of(run)
    try:
        run.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _held(path)
    except _HeldError as owner:
        raise LeaplabError(f"{run} is being written by {owner}; wait for it, or choose another --name.") from None
    except OSError as error:
        raise LeaplabError(
            f"{run.parent} cannot be written ({error.strerror}); name another folder by --runs."
        ) from error
    try:
        yield
    finally:
        _let_go(path, descriptor)


@contextmanager
def turn(file: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a file for reading and writing it anew, after whoever holds it now.

    Args:
        patience: seconds to wait.

    Raises:
        LeaplabError: it is held all that time.
        OSError: the folder cannot be written.
    """
    path, end = _lock_of(file), time.monotonic() + patience
    while True:
        try:
            descriptor = _held(path)
            break
        except _HeldError as owner:
            if time.monotonic() > end:
                raise LeaplabError(f"{file} is being written by {owner} for long; end that, and try again.") from None
            time.sleep(PAUSE)
    try:
        yield
    finally:
        _let_go(path, descriptor)


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _let_go(path: Path, descriptor: int) -> None:
    path.unlink(missing_ok=True)  # while it is held: whoever waits for this file looks whether it is still the one
    os.close(descriptor)


def _held(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 200).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise _HeldError(owner) from None
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
