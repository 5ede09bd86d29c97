"""What analyses made of a run, kept under everything that decided it.

It lies beside the run, or in memory where the run is read-only.
"""

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.files import file_name, write_array
from leaplab.store.run import RunStore

_in_memory: dict[Path, NDArray[Any]] = {}
_locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
_locks_lock = threading.Lock()
_reads_only: ContextVar[bool] = ContextVar("reads_only", default=False)


class NotComputedError(Exception):
    """What was asked for has not been computed yet."""


@contextmanager
def only_read() -> Iterator[None]:
    """Within it nothing is computed that is not there: `cached` raises `NotComputedError` instead."""
    token = _reads_only.set(True)
    try:
        yield
    finally:
        _reads_only.reset(token)


def cached(
    store: RunStore, name: str, version: int, parameters: Mapping[str, Any], compute: Callable[[], NDArray[Any]]
) -> NDArray[Any]:
    """An array that an analysis makes of a run: read where it lies, else computed and written.

    Args:
        name: of the analysis.
        version: of the computation, raised when it gives something else; with the name, the run's identity and the
            parameters it decides the file.
        parameters: JSON values.
        compute: makes the array.

    Raises:
        NotComputedError: it would have to be computed within `only_read`.
    """
    path = place_of(store, name, version, parameters)
    with _lock_of(path):
        if path in _in_memory:
            return _in_memory[path]
        if path.exists():
            stored: NDArray[Any] = np.load(path)
            return stored
        if _reads_only.get():
            raise NotComputedError(name)
        array = compute()
        try:
            write_array(path, array)
        except OSError:  # a run that is only to be read, or a full disk: the answer is the same
            _in_memory[path] = array
        return array


def is_cached(store: RunStore, name: str, version: int, parameters: Mapping[str, Any]) -> bool:
    """Whether `cached` would compute nothing."""
    path = place_of(store, name, version, parameters)
    return path in _in_memory or path.exists()


def kept_in_memory() -> Mapping[Path, NDArray[Any]]:
    """What could not be written beside its run: another process that works for this one hands it over."""
    return dict(_in_memory)


def keep_in_memory(path: Path, array: NDArray[Any]) -> None:
    """Take what another process computed, and could not write."""
    _in_memory[path] = array


def place_of(store: RunStore, name: str, version: int, parameters: Mapping[str, Any]) -> Path:
    """The file that an array of an analysis is kept in; the arguments are those of `cached`."""
    key = json.dumps([store.manifest.identity, store.manifest.revision, name, version, parameters], sort_keys=True)
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return store.path / "derived" / f"{file_name(name)}-{digest}.npy"


def _lock_of(path: Path) -> threading.Lock:
    # Two requests for the same map must not draw it twice.
    with _locks_lock:
        return _locks[path]
