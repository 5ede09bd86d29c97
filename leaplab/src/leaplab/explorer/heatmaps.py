"""Heat-maps of the sample that a person looks at, when they are asked for."""

import base64
import threading
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from leaplab.errors import IntegrationError, LeaplabError, MissingError, QuestionError
from leaplab.explorer.model import Progress
from leaplab.explorer.progress import Board
from leaplab.population.heatmap import HeatmapQuestion, HeatMaps, extremes
from leaplab.population.population import Population
from leaplab.population.similar_region import SimilarRegions, similar_to_region
from leaplab.render.heatmap_picture import heatmap_layer, heatmap_picture

CELLS: Final = "cells"
TOLD = 2
"""Regions that are told of each way."""


class PanelHeatmaps:
    """Draws heat-maps in a process of the integration's, which starts with the first.

    Args:
        population: the run.
        board: where it is told how far what takes long is.
    """

    def __init__(self, population: Population, board: Board) -> None:
        self._population, self._board = population, board
        self._maps = HeatMaps(population)
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process."""
        self._maps.close()

    def similar_to_region(self, row: int, region: Sequence[float], count: int) -> SimilarRegions:
        """Samples of which a place looks to the model like a region of one, told in shares of the picture's sides.

        Raises:
            LeaplabError: there is no such row or region, or the model has no map.
        """
        row = self._population.require_row(row)

        def tell(_: str, done: int, total: int) -> None:
            self._board.tell(CELLS, Progress(what=CELLS, state="computing", done=done, total=total))

        with self._lock:
            try:
                return similar_to_region(
                    self._population, self._maps.cuts, row, region, count, progress=tell, in_shares=True
                )
            except (MissingError, QuestionError):
                raise
            except LeaplabError as error:
                raise IntegrationError(str(error)) from error
            finally:
                self._board.tell(CELLS, Progress(what=CELLS, state="ready"))

    def of(self, row: int, of: str) -> dict[str, Any]:
        """What raises and what lowers something of a sample, see `leaplab.explorer.model.Heatmap`.

        Raises:
            LeaplabError: there is no such row, or no such map of it.
        """
        self._population.require_row(row)
        with self._lock:  # the process answers one question at a time
            try:
                answer = self._maps.of(HeatmapQuestion(row, of))
            except (MissingError, QuestionError):
                raise
            except LeaplabError as error:  # what the integration's process says, whatever it is about
                raise IntegrationError(str(error)) from error
        if answer.is_flat:
            return {"of": of, "value": None, "png": None, "told": list(answer.notices)}
        named = f"{answer.state}/{answer.id}"
        written = BytesIO()
        heatmap_picture(answer, named, "overlay").save(written, format="PNG")
        told = list(answer.notices)
        single = len(answer.names) == 1
        for place, change in extremes(answer, TOLD) if single else ():
            told.append(
                f"Without the region {place} it would be {abs(change):.3g} {'higher' if change < 0 else 'lower'}."
            )
        answered: dict[str, Any] = {
            "of": of,
            "value": float(answer.targets[0]) if single else None,
            "png": _address(written.getvalue()),
            "told": told,
        }
        layer = heatmap_layer(answer) if single else None
        if layer is not None:
            written = BytesIO()
            layer.save(written, format="PNG")
            answered |= {"overlay": _address(written.getvalue()), "size": layer.size}
        return answered


def _address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
