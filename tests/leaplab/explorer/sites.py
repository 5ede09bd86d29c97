"""A run of three sites to plan by, without an evaluation."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.leaplab.runs_by_hand import write_run

SITES = ["north", "south", "o'hare"]


def write_sites(path: Path) -> Path:
    """300 labelled samples and 100 without labels, of three sites; the last site lies apart, and is darker."""
    generator = np.random.default_rng(7)
    states = ["training"] * 240 + ["validation"] * 60 + ["unlabeled"] * 100
    site = generator.choice(3, 400, p=[0.4, 0.4, 0.2])
    vectors = generator.normal(size=(400, 6)) + 1.5 * (site == 2)[:, None]
    loss = generator.exponential(size=400) + 2 * (vectors[:, 0] > 1)
    size = np.where(generator.random(400) < 0.1, np.nan, generator.normal(size=400))
    columns: dict[str, tuple[str, list[Any]]] = {
        "metadata.site": ("string", [SITES[each] for each in site]),
        "metadata.night": ("boolean", [bool(each) for each in generator.random(400) < 0.3]),
        "metadata.size w/h": ("float", size.tolist()),
        "metadata.lanes": ("int", [int(each) if each else None for each in generator.integers(0, 5, 400)]),
        "input.brightness": ("float", (generator.normal(size=400) - 2.0 * (site == 2)).tolist()),
        "loss.a": ("float", [float(each) if row < 300 else None for row, each in enumerate(loss)]),
    }
    return write_run(path, states, columns, vectors, domains=("metadata.site",))
