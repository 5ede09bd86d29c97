"""Small pictures of a report's samples, drawn by the integration; none where it cannot be bound any more."""

import base64
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong

from leaplab.errors import LeaplabError
from leaplab.explorer.pictures import Pictures
from leaplab.population.population import Population
from leaplab.report.model import Picture

TIME_LIMIT = 15.0
"""Seconds that all pictures of a report may take together."""


class Album:
    """Draws each sample once, however often it is shown.

    Args:
        population: the run.
        pictures: draw them.
    """

    def __init__(self, population: Population, pictures: Pictures) -> None:
        self._population, self._pictures = population, pictures
        self._asked: dict[int, Future[bytes]] = {}
        self._left = TIME_LIMIT
        self.failure: str | None = None
        """Why a picture is missing, the first reason; None where none is."""

    def ask(self, rows: Iterable[int]) -> None:
        """Begin to draw these samples."""
        for row in rows:
            if row not in self._asked:
                self._asked[row] = self._pictures.thumbnail(row)

    def of(self, row: int, told: str = "") -> Picture:
        """A sample with its picture.

        Args:
            told: of it, beside its id.
        """
        self.ask([row])
        return Picture(
            sample_id=self._population.ids[row],
            state=self._population.states[row],
            picture=self._address(row),
            told=told,
        )

    def _address(self, row: int) -> str | None:
        from time import monotonic

        begun = monotonic()
        try:
            content = self._asked[row].result(timeout=max(self._left, 0.0))
        except TookTooLong:
            self.failure = self.failure or f"Not all pictures were drawn within {TIME_LIMIT:.0f} seconds."
            return None
        except LeaplabError as error:
            self.failure = self.failure or str(error)
            return None
        finally:
            self._left -= monotonic() - begun
        return "data:image/webp;base64," + base64.b64encode(content).decode("ascii")
