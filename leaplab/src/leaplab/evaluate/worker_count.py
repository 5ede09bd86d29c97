"""How many workers evaluate a run, and how many threads the model of each may use."""

import heapq
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leaplab.protocol.results import Effort

WORTH_S, WORTH = 1.0, 0.1
"""Seconds, and share of what one worker would still take, that others have to save to be started."""
ENOUGH = 1.05
"""Fewer workers are taken where they take at most so many times as long."""


@dataclass(frozen=True)
class Choice:
    """How many workers evaluate what is left.

    Attributes:
        reason: a sentence for the person who waits.
    """

    workers: int
    reason: str


@dataclass(frozen=True)
class Machine:
    """What there is to evaluate with.

    Attributes:
        cores: that this process may use.
        memory: bytes that are free; None where that cannot be told.
    """

    cores: int
    memory: int | None = None


def this_machine() -> Machine:
    """The one that this runs on, at this moment."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:  # no Linux
        return Machine(cores)
    found = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return Machine(cores, found.get("MemAvailable"))


def threads_of(workers: int, cores: int) -> int:
    """Threads of inference of each worker: the cores are divided, and of each share one core is for encoding."""
    return max(1, cores // workers - 1)


def choose(effort: Effort, samples: int, left: Sequence[int], start_up: float, machine: Machine) -> Choice:
    """Choose by what one worker did, and did not, keep busy while it evaluated a part.

    N workers are taken to be N times as fast until all cores are busy, and no faster from there on. A worker joins once
    it has started, and takes whole parts.

    Args:
        effort: of the part.
        samples: of the part.
        left: samples of each part that is left.
        start_up: seconds that a worker takes before its first sample.
        machine: that all run on.
    """
    load = max(effort.processor / max(effort.seconds, 1e-9), 1e-9)
    parts = [count * effort.seconds / max(samples, 1) for count in left]
    alone = sum(parts)
    most = min(machine.cores, len(left))
    for_memory = most if machine.memory is None else 1 + machine.memory // max(effort.memory, 1)
    times = {count: _seconds(parts, count, load, start_up, machine.cores) for count in range(1, most + 1)}
    if not _pays(min(times.values(), default=alone), alone):
        ready = [_seconds(parts, count, load, 0.0, machine.cores) for count in range(1, most + 1)]
        if len(left) < 2:
            return Choice(1, "1 worker, as one part is left.")
        if _pays(min(ready), alone):
            return Choice(1, "1 worker, as another would hardly have started before the end.")
        if alone < 2 * WORTH_S:
            return Choice(1, "1 worker, as there is little left to do.")
        return Choice(1, f"1 worker, as it uses {load:.1f} of {machine.cores} cores by itself.")
    allowed = {count: seconds for count, seconds in times.items() if count <= for_memory}
    best = min(allowed.values())
    if not _pays(best, alone):
        free = (machine.memory or 0) / 2**30
        return Choice(
            1, f"1 worker, as it takes {effort.memory / 2**30:.1f} GiB of memory and {free:.1f} GiB are free."
        )
    workers = min(count for count, seconds in allowed.items() if seconds <= ENOUGH * best and _pays(seconds, alone))
    if effort.functions > effort.model:
        each = [_milliseconds(seconds / max(samples, 1)) for seconds in (effort.functions, effort.model)]
        why = f"encoding and scoring take longer than the model ({' and '.join(each)} a sample)"
    else:
        why = f"one uses only {load:.1f} of {machine.cores} cores"
    return Choice(workers, f"{workers} workers, as {why}.")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.2g} ms" if seconds < 0.01 else f"{1000 * seconds:.0f} ms"


def _pays(seconds: float, alone: float) -> bool:
    return alone - seconds >= max(WORTH_S, WORTH * alone)


def _seconds(parts: Sequence[float], workers: int, load: float, start_up: float, cores: int) -> float:
    """Until the last of the parts is evaluated, each by the worker that is free first."""
    slower = max(1.0, workers * load / cores)
    joining = start_up * max(1.0, (workers - 1 + load) / cores)
    free, last = [0.0] + [joining] * (workers - 1), 0.0
    for seconds in parts:
        end = heapq.heappop(free) + seconds * slower
        heapq.heappush(free, end)
        last = max(last, end)
    return last
