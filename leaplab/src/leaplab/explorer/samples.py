"""One sample of a run: its stored values, and its visualizers, which the integration draws when they are looked at."""

import base64
import threading
from typing import Any

import numpy as np

from leaplab.errors import IntegrationError, LeaplabError
from leaplab.evaluate.reopen import reopen
from leaplab.population.population import Population
from leaplab.protocol.inspection import SampleOrder, Visual
from leaplab.protocol.operations import VISUALIZE
from leaplab.render.rendered import render
from leaplab.session.opening import Session
from leaplab.store.columns import ID, STATE
from leaplab.store.parquet import EXACT_IN_DOUBLE
from leaplab.store.run import OFFSET

MAX_SHOWN_PREDICTION = 1000
OF_THE_SAMPLE = (OFFSET, ID, STATE)
"""Keys of an element instance that say of which sample it is."""


def details(population: Population, row: int) -> dict[str, Any]:
    """Everything that the run holds of a sample.

    Raises:
        LeaplabError: there is no such row.
    """
    state = population.states[population.require_row(row)]
    values = population.store.row(row)
    predictions = []
    for spec in population.store.manifest.predictions:
        output = population.store.prediction(spec.name, row)
        if output is not None and output.ndim == 1 and output.size <= MAX_SHOWN_PREDICTION:
            labels = list(spec.labels) or [str(index) for index in range(output.size)]
            predictions.append({"name": spec.name, "labels": labels, "values": output.tolist()})
    return {
        "row": row,
        "sample_id": values[ID],
        "state": state,
        "values": [
            {"column": column, "value": _json_value(value)}
            for column, value in values.items()
            if column not in (ID, STATE)
        ],
        "predictions": predictions,
        "instances": [
            {column: _json_value(value) for column, value in instance.items() if column not in OF_THE_SAMPLE}
            for instance in population.store.instances_of(row)
        ],
    }


class Visualizers:
    """Draws a sample's visualizers in a session that starts in the background and is shared by all requests."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._lock = threading.Lock()
        self._session: Session | None = None

    def start(self) -> None:
        """Bind the integration now, in the background, so that the first click need not wait for it."""
        threading.Thread(target=self._try_to_open, name="integration", daemon=True).start()

    def close(self) -> None:
        """End the integration's process."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def of(self, row: int) -> list[dict[str, Any]]:
        """The visualizers of a sample, as the page takes them.

        Raises:
            LeaplabError: there is no such row, or the integration cannot be bound any more.
        """
        state = self._population.states[self._population.require_row(row)]
        sample_id = self._population.ids[row]
        with self._lock:
            try:
                visuals = self._opened().call(VISUALIZE, SampleOrder(state, sample_id))
            except LeaplabError as error:
                # The process may be gone: the next request starts a fresh one.
                if self._session is not None:
                    self._session.close()
                self._session = None
                raise IntegrationError(str(error)) from error
        return [_for_page(visual) for visual in visuals]

    def _opened(self) -> Session:
        if self._session is None:
            self._session = reopen(self._population.store.manifest)
        return self._session

    def _try_to_open(self) -> None:
        with self._lock:
            try:
                self._opened()
            except LeaplabError:
                return  # whoever clicks a point is told, with the reason


def _for_page(visual: Visual) -> dict[str, Any]:
    if visual.error is not None:
        return {"name": visual.name, "type": visual.type, "error": visual.error}
    try:
        rendered = render(visual)
    except LeaplabError as error:
        return {"name": visual.name, "type": visual.type, "error": str(error)}
    png = "data:image/png;base64," + base64.b64encode(rendered.png).decode("ascii")
    shown = {
        "name": visual.name,
        "type": visual.type,
        "png": png,
        "width": rendered.width,
        "height": rendered.height,
    }
    return {**shown, "data": rendered.data} if rendered.data else shown


def _json_value(value: Any) -> Any:
    # JSON has no NaN or infinity, and a page's numbers are doubles: what they cannot say, a text does.
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return str(value) if isinstance(value, int) and abs(value) > EXACT_IN_DOUBLE else value
