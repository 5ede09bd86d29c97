"""What an evaluation says in a line a state."""

from typing import Any

import numpy as np

from leaplab.store.run import STATE, RunStore


def summarize(store: RunStore) -> dict[str, dict[str, Any]]:
    """State -> its number of samples, the mean of each loss and of each metric that has a better direction.

    Means are over the samples that have a finite value; `not_finite` counts those whose value is NaN, infinite or
    absent.
    """
    columns = [
        name
        for name, entry in store.columns().items()
        if name.startswith("loss.") or (name.startswith("metric.") and entry.insights is not False)
    ]
    table = store.read([STATE, *columns])
    summary: dict[str, dict[str, Any]] = {}
    for state in store.manifest.states:
        rows = table[STATE] == state
        finite = {column: table[column][rows][np.isfinite(table[column][rows])] for column in columns}
        summary[state] = {
            "samples": int(rows.sum()),
            "means": {column: float(values.mean()) if values.size else None for column, values in finite.items()},
            "not_finite": {column: int(rows.sum()) - values.size for column, values in finite.items()},
        }
    return summary
