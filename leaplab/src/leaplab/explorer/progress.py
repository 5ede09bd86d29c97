"""How far what the server computes is, for those who listen."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

from leaplab.explorer.model import Progress

LOOK = 0.1
"""Seconds between two looks at what has changed."""
LINGER = 1.0
"""Seconds for which a listener waits for something to begin."""


class Board:
    """What is being computed, by its name; computations write to it, and listeners read of it."""

    def __init__(self) -> None:
        self._told: dict[str, Progress] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()

    def tell(self, name: str, progress: Progress) -> None:
        """Put this in the place of what was told of the same computation."""
        with self._lock:
            self._told[name] = progress

    def open(self) -> None:
        """Let some listen, again after a `close`."""
        self._over.clear()

    def close(self) -> None:
        """Let all listeners go."""
        self._over.set()

    async def events(self) -> AsyncIterator[Progress]:
        """The progress so far and what comes of it, until nothing is being computed."""
        told: dict[str, Progress] = {}
        busy = time.monotonic()
        while not self._over.is_set():
            with self._lock:
                now = dict(self._told)
            for name, progress in now.items():
                if told.get(name) != progress:
                    yield progress
            told = now
            if any(progress.state == "computing" for progress in now.values()):
                busy = time.monotonic()
            elif time.monotonic() - busy > LINGER:
                return
            await asyncio.sleep(LOOK)
