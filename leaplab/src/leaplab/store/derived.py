"""What analyses made of a run, kept by everything that decided it."""

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.files import write_array
from leaplab.store.run import RunStore


def derived(
    store: RunStore, name: str, parameters: Mapping[str, Any], compute: Callable[[], NDArray[Any]]
) -> NDArray[Any]:
    """An array that an analysis makes of a run: read where it lies, else computed and written.

    Args:
        name: of the analysis; with the run's identity and the parameters it decides the file.
        parameters: JSON values. Raise a version among them when the computation changes.
        compute: makes the array.
    """
    key = json.dumps([store.manifest.identity, name, parameters], sort_keys=True)
    path = store.path / "derived" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    with _lock_of(path):
        if path.exists():
            stored: NDArray[Any] = np.load(path)
            return stored
        array = compute()
        write_array(path, array)
        return array


_locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
_locks_lock = threading.Lock()


def _lock_of(path: Path) -> threading.Lock:
    # Two requests for the same map must not draw it twice.
    with _locks_lock:
        return _locks[path]
