"""A run by hand: four classes of trees from two sites, for charts."""

from pathlib import Path
from typing import Any

import numpy as np

from leaplab.store.manifest import ColumnEntry
from tests.leaplab.runs_by_hand import write_run

COUNT = 600
KINDS = ["oak", "fir", "elm", "ash"]
SITES = ["north", "south"]


def write_trees(path: Path, count: int = COUNT) -> Path:
    """Some have no label, some no loss, nothing has a height, all are of one planet, and the south is darker."""
    generator = np.random.default_rng(5)
    kinds = [KINDS[place] for place in generator.integers(0, len(KINDS), count)]
    sites = [SITES[place] for place in generator.integers(0, len(SITES), count)]
    away = generator.gamma(2.0, 1.0, count) + [KINDS.index(kind) for kind in kinds]
    losses = 0.3 * away + generator.exponential(0.2, count)
    columns: dict[str, tuple[str | ColumnEntry, Any]] = {
        "metadata.class_name": ("string", [None if row % 50 == 7 else kind for row, kind in enumerate(kinds)]),
        "metadata.site": ("string", sites),
        "metadata.away": ("float", away.tolist()),
        "metadata.note": ("string", [f"note {row % 40}" if row % 3 else None for row in range(count)]),
        "input.brightness": (
            "float",
            [float(b) for b in generator.normal([0.6 - 0.3 * (s == "south") for s in sites], 0.1)],
        ),
        "loss.entropy": (
            "float",
            [float("nan") if row % 40 == 3 else loss for row, loss in enumerate(losses.tolist())],
        ),
        "metadata.height": ("float", [None] * count),
        "metadata.planet": ("string", ["earth"] * count),
        "metric.accuracy": (ColumnEntry("float", "upward"), (losses < 1.2).astype(float).tolist()),
    }
    states = ["training" if row % 3 else "validation" for row in range(count)]
    return write_run(path, states, columns, generator.normal(size=(count, 4)))
