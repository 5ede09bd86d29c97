"""Measured figures, and processes whose time and memory are watched."""

import dataclasses
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
POLL_S = 0.05
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
"""Of the environment of a process whose processor time is that of one thread."""


@dataclass(frozen=True)
class Figure:
    """One number, and the bound that it has to keep, where there is one."""

    what: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def shown(self) -> str:
        """The number with its unit."""
        return f"{self.value:,.2f} {self.unit}"

    @property
    def bound_shown(self) -> str:
        """The bound with its unit."""
        return "" if self.bound is None else f"< {self.bound:g} {self.unit}"

    @property
    def verdict(self) -> str:
        """Whether the bound is kept."""
        return "" if self.bound is None else "kept" if self.value < self.bound else "MISSED"

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {**dataclasses.asdict(self), "verdict": self.verdict}


@dataclass(frozen=True)
class Watched:
    """What a process took, with all that it started: wall time, and the peak of the sum of their resident memory."""

    seconds: float
    peak_bytes: int
    output: str


def watch(
    arguments: Sequence[str],
    environment: dict[str, str] | None = None,
    folder: Path = ROOT,
    python: str = sys.executable,
) -> Watched:
    """Run this Python, or another, with arguments, in a folder, and watch it.

    Raises:
        RuntimeError: it failed; with what it printed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [python, *arguments],
        cwd=folder,
        env={**os.environ, "TL_DISABLE_ANALYTICS": "true", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = [0]
    watcher = threading.Thread(target=_watch_memory, args=(process, peak), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{output}")
    return Watched(seconds, peak[0], output)


def _watch_memory(process: "subprocess.Popen[str]", peak: list[int]) -> None:
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        try:
            family = [watched, *watched.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for member in family:
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], total)
        time.sleep(POLL_S)


def machine() -> dict[str, Any]:
    """What the seconds belong to."""
    return {
        "cpu_count": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
