"""One sample of a run: its stored values."""

from typing import Any

from leaplab.explorer.answers import json_value
from leaplab.explorer.verdict import Judge, is_ranked
from leaplab.population.population import Population
from leaplab.store.columns import ID, OFFSET, STATE

MAX_SHOWN_PREDICTION = 1000
OF_THE_SAMPLE = (OFFSET, ID, STATE)
"""Keys of an element instance that say of which sample it is."""


def details(population: Population, judge: Judge, row: int) -> dict[str, Any]:
    """Everything that the run holds of a sample.

    Args:
        judge: of the same run.

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
            {"column": column, "value": json_value(value), "rank": _rank(population, judge, column, row)}
            for column, value in values.items()
            if column not in (ID, STATE)
        ],
        "verdict": judge.verdict(row),
        "predictions": predictions,
        "instances": [
            {column: json_value(value) for column, value in instance.items() if column not in OF_THE_SAMPLE}
            for instance in population.store.instances_of(row)
        ],
    }


def _rank(population: Population, judge: Judge, name: str, row: int) -> dict[str, int] | None:
    column = population.columns.get(name)
    return judge.rank(column, row) if column is not None and is_ranked(column) else None
