"""Heat-maps of the sample that a person looks at, when they are asked for."""

import base64
import threading
from io import BytesIO
from typing import Any

from leaplab.errors import IntegrationError, LeaplabError, MissingError, QuestionError
from leaplab.population.heatmap import HeatmapQuestion, HeatMaps, extremes
from leaplab.population.population import Population
from leaplab.render.heatmap_picture import heatmap_layer, heatmap_picture

TOLD = 2
"""Regions that are told of each way."""


class PanelHeatmaps:
    """Draws heat-maps in a process of the integration's, which starts with the first.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._maps = HeatMaps(population)
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process."""
        self._maps.close()

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
