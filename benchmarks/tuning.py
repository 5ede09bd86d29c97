"""A simulation that is tuned to the fisheye target: how near it comes to the half that it has not seen, how soon."""

import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks.measuring import Figure, watch
from benchmarks.runs import FRAMES, GENERATED, RUNS, evaluated

SEEDS = 3
TARGET = "metadata.origin = 'foresight_unlabeled'"
FITTED = "metadata.origin = 'cognata_b'"
"""The population whose camera was fitted by image statistics, with the target's lens given."""
START = {
    "fisheye": 0.35,
    "exposure": 0.9,
    "temperature": 4300,
    "red_spread": 1.5,
    "noise": 0.008,
    "blur": 0.4,
    "dusk": 0.75,
}
"""What cognata_a was made with; the middle of its hours."""


def run() -> list[Figure]:
    """`leaplab tune` of yolov7_foresight's simulation, from the parameters of cognata_a, in two processes."""
    path = evaluated(FRAMES)
    figures = []
    for seed in range(SEEDS):
        shutil.rmtree(path / "derived" / "tune", ignore_errors=True)
        given = [word for name, value in START.items() for word in ("--start", f"{name}={value}")]
        command = ["-m", "leaplab", "tune", "cognata", "--run", FRAMES, "--runs", str(RUNS), "--target", TARGET, *given]
        environment = {"LEAP_EXAMPLE": "yolov7_foresight", "LEAP_DATA_ROOT": str(GENERATED.resolve())}
        asked = watch([*command, "--seed", str(seed), "--workers", "2", "--json"], environment)
        told: dict[str, Any] = json.loads(asked.output[asked.output.index("{\n") : asked.output.rindex("}") + 1])
        best, start = told["best"], told["start"]
        figures += [
            Figure(f"tune, seed {seed}: distance to the held-out half, of the start's", best["distance"] /
                   start["distance"], "", 0.4),
            Figure(f"tune, seed {seed}: that distance", best["distance"], ""),
            Figure(f"tune, seed {seed}: that of cognata_b", _distance(path, seed), ""),
            Figure(f"tune, seed {seed}: p of the held-out half", best["p"], ""),
            Figure(f"tune, seed {seed}: {len(told['trials'])} trials of 64 frames", asked.seconds, "s", 600),
        ]  # fmt: skip
    return figures


def _distance(path: Path, seed: int) -> float:
    """Of cognata_b to the held-out half, in the same components."""
    import numpy as np

    from leaplab.analysis.whitening import fit_whitening
    from leaplab.population.population import open_population
    from leaplab.tune.objective import energy_distance
    from leaplab.tune.tuning import halves_of, others_of

    population = open_population(path)
    space = population.space(None)
    vectors, halves = population.vectors(space), halves_of(population, TARGET, space, seed)
    found = population.where(FITTED)
    fitted, held_out, other = (
        vectors.values[np.searchsorted(vectors.rows, rows)] for rows in (halves.fitted, halves.held_out, found)
    )
    components = fit_whitening(np.concatenate([fitted, others_of(population, halves, space)]))
    return energy_distance(components.of(other), components.of(held_out))
