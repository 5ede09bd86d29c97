"""One sample of a run: its stored values."""

from typing import Any

from leaplab.explorer.answers import json_value
from leaplab.population.population import Population
from leaplab.store.columns import ID, STATE
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
            {"column": column, "value": json_value(value)}
            for column, value in values.items()
            if column not in (ID, STATE)
        ],
        "predictions": predictions,
        "instances": [
            {column: json_value(value) for column, value in instance.items() if column not in OF_THE_SAMPLE}
            for instance in population.store.instances_of(row)
        ],
    }
