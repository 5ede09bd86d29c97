import threading
import time
from typing import Any

import numpy as np
import pytest

from leaplab.population import cached as caches
from leaplab.population.cached import cached
from leaplab.store.run import RunStore


def counted(store, name, parameters, value=1.0, version=1) -> Any:
    """What `cached` gave, and whether it was computed for that."""
    calls = []

    def compute() -> Any:
        calls.append(1)
        return np.full(3, value)

    return cached(store, name, version, parameters, compute).tolist(), bool(calls)


def test_array_is_computed_once_also_for_the_next_process(make_store):
    store = make_store()

    assert counted(store, "map", {"seed": 0}) == ([1.0] * 3, True)
    assert counted(store, "map", {"seed": 0}, value=2.0) == ([1.0] * 3, False)
    assert counted(RunStore(store.path, store.manifest), "map", {"seed": 0}, value=2.0) == ([1.0] * 3, False)


def test_name_parameters_and_run_decide_the_array(make_store, make_manifest):
    store = make_store()
    counted(store, "map", {"seed": 0, "space": "model"})

    assert counted(store, "map", {"space": "model", "seed": 0}, value=2.0)[1] is False
    assert counted(store, "map", {"seed": 1, "space": "model"}, value=2.0) == ([2.0] * 3, True)
    assert counted(store, "clusters", {"seed": 0, "space": "model"}, value=3.0) == ([3.0] * 3, True)
    assert counted(store, "map", {"seed": 0, "space": "model"}, value=5.0, version=2) == ([5.0] * 3, True)
    other = RunStore(store.path, make_manifest(identity="two"))
    assert counted(other, "map", {"seed": 0, "space": "model"}, value=4.0) == ([4.0] * 3, True)


def test_failed_computation_leaves_nothing(make_store):
    store = make_store()

    def fail() -> Any:
        raise ValueError("no map")

    with pytest.raises(ValueError, match="no map"):
        cached(store, "map", 1, {}, fail)
    assert counted(store, "map", {})[1]


def test_two_threads_compute_it_once(make_store):
    store, calls = make_store(), []

    def compute() -> Any:
        calls.append(1)
        time.sleep(0.1)
        return np.zeros(2)

    threads = [threading.Thread(target=cached, args=(store, "map", 1, {}, compute)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(calls) == 1


def test_run_that_cannot_be_written_gives_the_same_from_memory(make_store, monkeypatch):
    def full(*_) -> None:
        raise OSError(30, "Read-only file system")

    store = make_store()
    monkeypatch.setattr(caches, "write_array", full)

    assert counted(store, "map", {"seed": 0}) == ([1.0] * 3, True)
    assert counted(store, "map", {"seed": 0}, value=2.0) == ([1.0] * 3, False)
    assert not (store.path / "derived").exists()
