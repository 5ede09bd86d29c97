"""Maps that are computed in the background, and how far they are."""

import threading
from collections import defaultdict
from typing import Literal

from leaplab.analysis.projection import METHODS, QUICK
from leaplab.errors import LeaplabError
from leaplab.explorer.background import MAP, Background
from leaplab.explorer.model import Progress
from leaplab.explorer.progress import Board
from leaplab.population.population import Population


class Maps:
    """Computes maps, those that the page opens with before it asks.

    Args:
        population: the run.
        background: where they are computed.
        board: where it is told how far they are.
    """

    def __init__(self, population: Population, background: Background, board: Board) -> None:
        self._population = population
        self._background, self._board = background, board
        self._locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def start(self) -> None:
        """Compute the first space's maps, the quick one first."""
        threading.Thread(target=self._prepare, name="map", daemon=True).start()

    def require(self, space: str | None, method: str) -> None:
        """Wait until the run has a map.

        Raises:
            LeaplabError: no such space or method, or it cannot be computed.
        """
        population = self._population
        if population.has_map(space, method):
            return
        space = population.space(space)
        with self._locks[space, method]:
            if population.has_map(space, method):
                return
            population.vectors(space)
            self._tell(space, method, "computing")
            try:
                if method == QUICK:  # it is there before another process would have begun
                    population.map(space, method)
                else:
                    self._compute(space, method)
            except LeaplabError as error:
                self._tell(space, method, "failed", detail=str(error))
                raise
            self._tell(space, method, "ready")

    def _prepare(self) -> None:
        assert self._population.columns
        if not self._population.spaces:
            return
        space = next(iter(self._population.spaces))
        methods = dict.fromkeys((QUICK, METHODS[0]))
        for method in methods:
            self._tell(space, method, "ready" if self._population.has_map(space, method) else "computing")
        for method in methods:
            try:
                self.require(space, method)
            except LeaplabError:
                continue  # it is told, and who asks for the map is told again

    def _compute(self, space: str, method: str) -> None:
        def tell(_: str, done: int, total: int) -> None:
            self._tell(space, method, "computing", done=done, total=total)

        self._background.compute(MAP, space, method, tell=tell)

    def _tell(
        self,
        space: str,
        method: str,
        state: Literal["computing", "ready", "failed"],
        detail: str | None = None,
        done: int | None = None,
        total: int | None = None,
    ) -> None:
        progress = Progress(
            what="map", space=space, projection=method, state=state, detail=detail, done=done, total=total
        )
        self._board.tell(f"map {space} {method}", progress)
