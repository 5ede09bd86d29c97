"""What an evaluation says in a line a state."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.description import Description
from leaplab.store.columns import LOSS, METRIC, STATE, group_of
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore

SHOWN = 5
"""Samples that were left out that a person is told by name."""


def summarize(store: RunStore) -> dict[str, dict[str, Any]]:
    """State -> its number of samples, the mean of each loss and of each metric that has a better direction.

    Means are over the samples that have a finite value; `not_finite` counts those whose value is NaN, infinite or
    absent. Where the integration has element instances, `instances` says of them what the rest says of the samples.
    """
    columns = _ranked(store.columns())
    table = store.read([STATE, *columns])
    summary: dict[str, dict[str, Any]] = {}
    for state in store.states:
        count, told = _summarized(table, state, columns)
        summary[state] = {"samples": count, **told}
    if store.has_instances:
        columns = _ranked(store.instance_columns())
        table = store.read_instances([STATE, *columns])
        for state in store.states:
            count, told = _summarized(table, state, columns)
            summary[state]["instances"] = {"count": count, **told}
    return summary


def left_out(store: RunStore) -> list[str]:
    """What a person should know of what the means are not of, a sentence each."""
    sentences = []
    if skipped := store.skipped:
        named = "; ".join(f"{each.state}/{each.sample_id} ({each.handler}: {each.reason})" for each in skipped[:SHOWN])
        rest = f"; and {len(skipped) - SHOWN:,} more, which the run's `parts` name" if len(skipped) > SHOWN else ""
        sentences.append(f"{_counted(len(skipped), 'sample')} left out: {named}{rest}.")
    for name, count in store.not_finite.items():
        sentences.append(f"{name} is NaN or infinite on {count:,} of {store.samples:,} samples, which no mean is of.")
    return sentences


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what} was" if count == 1 else f"{count:,} {what}s were"


def without_loss(description: Description, mappings: Sequence[Path] = ()) -> str | None:
    """Why no loss runs, and how to give one; None where one does.

    Args:
        mappings: mapping files of the integration that a person may name as its wiring.
    """
    if description.losses:
        return None
    if description.has_integration_test:
        return "No loss runs: the integration test calls none; call a function of tensorleap_custom_loss in it."
    if description.metrics or description.visualizers or description.instance_metrics:
        return "No loss runs: the wiring names none; give one under `losses:` in a file for --wiring."
    if mappings:
        names = ", ".join(map(str, mappings))
        return f"No loss runs: without an integration test, --wiring tells what feeds one; name one of {names} by it."
    return (
        "No loss runs: there is no integration test, which tells what feeds one; write one, or give a wiring by"
        " --wiring FILE.yaml with a line such as `losses: {LOSS: {ARGUMENT: ground_truth.NAME, OTHER: prediction.0}}`."
    )


def _ranked(columns: Mapping[str, ColumnEntry]) -> list[str]:
    return [
        name
        for name, entry in columns.items()
        if group_of(name) == LOSS or (group_of(name) == METRIC and entry.insights is not False)
    ]


def _summarized(table: Mapping[str, NDArray[Any]], state: str, columns: Sequence[str]) -> tuple[int, dict[str, Any]]:
    rows = table[STATE] == state
    count = int(rows.sum())
    finite = {column: table[column][rows][np.isfinite(table[column][rows])] for column in columns}
    means = {column: float(values.mean()) if values.size else None for column, values in finite.items()}
    return count, {"means": means, "not_finite": {column: count - values.size for column, values in finite.items()}}
