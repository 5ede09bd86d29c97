"""Charts of 60,000 and of a million rows, beside the same aggregates by DuckDB over the same columns in its memory.

Both in processor time, which other work on the machine does not stretch; a chart takes one thread, so that is how long
a person waits for it on a quiet one.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.measuring import Figure
from benchmarks.runs import RUNS
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import KINDS, chart_of
from leaplab.population.population import Population, open_population
from tests.leaplab.runs_by_hand import write_run

BOUNDS = {60_000: 40, 1_000_000: 200}
"""Rows -> milliseconds that a chart may take."""
TIMES = 5
KIND, STATE, SIZE, DARK, LOSS = '"metadata.kind"', "state", '"metadata.size"', '"metadata.dark"', '"loss.a"'
RANGE = f"least((({SIZE} - low) / (high - low) * 12)::INT, 11)"
ENDS = f"(SELECT min({SIZE}) AS low, max({SIZE}) AS high FROM rows)"
QUESTIONS = {
    "bar": ChartQuestion("bar", "metadata.kind", "loss.a", "state"),
    "line": ChartQuestion("line", "metadata.size", "loss.a", "state"),
    "scatter": ChartQuestion("scatter", "metadata.size", "loss.a", "metadata.kind"),
    "histogram": ChartQuestion("histogram", "loss.a", split="metadata.kind"),
    "box": ChartQuestion("box", "metadata.kind", "loss.a", "state"),
    "heatmap": ChartQuestion("heatmap", "metadata.kind", "metadata.size", value="loss.a"),
    "group-means": ChartQuestion("group-means", "metadata.size", "loss.a", "metadata.kind"),
    "correlation": ChartQuestion("correlation"),
}
QUERIES = {
    "bar": f"SELECT {KIND}, {STATE}, count({LOSS}), avg({LOSS}), stddev_samp({LOSS}) FROM rows GROUP BY ALL",
    "line": f"SELECT {RANGE} AS bin, {STATE}, count({LOSS}), avg({SIZE}), avg({LOSS}), stddev_samp({LOSS})"
    f" FROM rows, {ENDS} GROUP BY ALL",
    "scatter": f"SELECT corr({SIZE}, {LOSS}), corr(a, b) FROM (SELECT {SIZE}, {LOSS}, rank() OVER (ORDER BY {SIZE})"
    f" AS a, rank() OVER (ORDER BY {LOSS}) AS b FROM rows)",
    "histogram": f"SELECT least(({LOSS} / 0.2)::INT, 60) AS bin, {KIND}, count(*) FROM rows GROUP BY ALL",
    "box": f"SELECT {KIND}, {STATE}, quantile_cont({LOSS}, [0.25, 0.5, 0.75]) FROM rows GROUP BY ALL",
    "heatmap": f"SELECT {KIND}, {RANGE} AS bin, count(*), avg({LOSS}), stddev_samp({LOSS}) FROM rows, {ENDS}"
    " GROUP BY ALL",
    "group-means": f"SELECT {KIND}, avg({SIZE}), stddev_samp({SIZE}), avg({LOSS}), stddev_samp({LOSS}) FROM rows"
    " GROUP BY ALL",
    "correlation": f"SELECT corr({SIZE}, {LOSS}), corr({DARK}, {LOSS}), corr({SIZE}, {DARK}) FROM rows",
}


def run() -> list[Figure]:
    """How long each kind takes once its columns are read, and as a ratio to DuckDB's, in turns."""
    figures = []
    for rows, bound in BOUNDS.items():
        path = generated(rows)
        population = open_population(path)
        with duckdb.connect() as database:
            files = [str(file) for file in population.store.sample_files()]
            database.execute("CREATE TABLE rows AS SELECT * FROM read_parquet(?)", [files])
            for kind in QUESTIONS:
                ours, theirs = _in_turns(population, database, kind)
                figures += [
                    Figure(f"chart {kind} of {rows:,} rows", 1000 * ours, "ms of processor time", bound),
                    Figure("  of DuckDB's time", ours / theirs, "of the time"),
                ]
        figures.append(_first(path, rows))
    missing = set(KINDS) - set(QUESTIONS) - {"confusion", "roc", "precision-recall", "calibration", "curves"}
    assert not missing, missing
    return figures


def generated(rows: int) -> Path:
    """A run of so many samples in three states and twenty kinds; written where there is none."""
    path = RUNS / f"charted_{rows}"
    if not (path / "manifest.json").exists():
        generator = np.random.default_rng(0)
        kinds = generator.integers(0, 20, rows)
        size = generator.normal(size=rows)
        columns: dict[str, tuple[str, list[Any]]] = {
            "metadata.kind": ("string", [f"kind {kind}" for kind in kinds.tolist()]),
            "metadata.size": ("float", size.tolist()),
            "metadata.dark": ("float", generator.random(rows).tolist()),
            "loss.a": ("float", (generator.exponential(size=rows) * (1 + (size > 1))).tolist()),
        }
        states = np.array(["training", "validation", "test"])[np.sort(generator.integers(0, 3, rows))]
        write_run(path, states.tolist(), columns)
    return path


def _in_turns(population: Population, database: duckdb.DuckDBPyConnection, kind: str) -> tuple[float, float]:
    """Medians of both, after one that is not counted."""

    def ours() -> object:
        return chart_of(population, QUESTIONS[kind])

    def theirs() -> object:
        return database.execute(QUERIES[kind]).fetchall()

    taken = [(_seconds(ours), _seconds(theirs)) for _ in range(TIMES + 1)][1:]
    own, other = zip(*taken, strict=True)
    return statistics.median(own), statistics.median(other)


def _first(path: Path, rows: int) -> Figure:
    """The first chart of a run that was just opened: its columns are read, and its categories become codes."""
    return Figure(
        f"first chart of {rows:,} rows, with reading them",
        _seconds(lambda: chart_of(open_population(path), QUESTIONS["bar"])),
        "s of processor time",
    )


def _seconds(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started
