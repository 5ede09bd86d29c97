"""Maps that are computed in the background, and how far they are."""

import asyncio
import threading
from collections.abc import AsyncIterator

from leaplab.analysis.projection import METHODS
from leaplab.errors import LeaplabError
from leaplab.explorer.model import Progress
from leaplab.population.population import Population

LOOK = 0.1
"""Seconds between two looks at what has changed."""
QUICK = "pca"
"""The projection that is there at once."""


class Maps:
    """Computes the maps that the page opens with, and tells listeners.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._progress: dict[str, Progress] = {}
        self._over = threading.Event()

    def start(self) -> None:
        """Compute the first space's maps, the quick one first."""
        threading.Thread(target=self._prepare, name="map", daemon=True).start()

    def close(self) -> None:
        """Let all listeners go."""
        self._over.set()

    async def events(self) -> AsyncIterator[Progress]:
        """The progress so far and what comes of it, until all is ready."""
        told: dict[str, Progress] = {}
        while True:
            is_over, now = self._over.is_set(), dict(self._progress)
            for method, progress in now.items():
                if told.get(method) != progress:
                    yield progress
            told = now
            if is_over:
                return
            await asyncio.sleep(LOOK)

    def _prepare(self) -> None:
        try:
            assert self._population.columns
            if not self._population.spaces:
                return
            space = next(iter(self._population.spaces))
            methods = dict.fromkeys((QUICK, METHODS[0]))
            for method in methods:
                self._progress[method] = Progress(what="map", space=space, projection=method, state="computing")
            for method in methods:
                self._progress[method] = self._computed(space, method)
        finally:
            self._over.set()

    def _computed(self, space: str, method: str) -> Progress:
        try:
            self._population.map(space, method)
        except LeaplabError as error:
            return Progress(what="map", space=space, projection=method, state="failed", detail=str(error))
        return Progress(what="map", space=space, projection=method, state="ready")
