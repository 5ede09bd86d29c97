"""What the page asks of a population, in the form that it reads."""

from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.analysis.projection import METHODS
from leaplab.errors import QuestionError
from leaplab.population.columns import Column, codes_of, default_colour
from leaplab.population.computed import CLUSTER_COLUMN
from leaplab.population.population import Population
from leaplab.store.columns import LOSS, STATE_COLUMN


def overview(population: Population) -> dict[str, Any]:
    """The run, its columns, and what the page opens with."""
    manifest = population.store.manifest
    columns = list(population.columns.values())
    return {
        "name": population.store.path.name,
        "integration": manifest.integration.rstrip("/").rpartition("/")[2],
        "model": manifest.model,
        "samples": population.samples,
        "notice": " ".join(population.notices) or None,
        "states": [{"name": state, "count": count} for state, count in manifest.states.items()],
        "columns": columns,
        "instance_columns": population.instance_columns,
        "latent_spaces": [{"name": name, "width": width} for name, width in population.spaces.items()],
        "projections": list(METHODS),
        "defaults": {
            "colour": default_colour(columns, (CLUSTER_COLUMN, STATE_COLUMN)),
            "size": next((column.name for column in columns if column.group == LOSS), None),
            "space": next(iter(population.spaces), None),
            "projection": METHODS[0],
        },
    }


def column_bytes(population: Population, name: str) -> bytes:
    """Little endian, in row order: float32 of a continuous column, int32 codes of a categorical one (absent -1).

    Raises:
        MissingError: there is no such column.
        QuestionError: it is text.
    """
    column = population.column(name)
    if column.kind == "text":
        raise QuestionError(f"Column '{name}' is text; it has no colours.")
    values = population.values(name)
    if column.kind == "continuous":
        return _on_scale(column, values).astype("<f4").tobytes()
    assert isinstance(column.categories, list)
    if name == CLUSTER_COLUMN:
        return values.astype("<i4").tobytes()
    return codes_of(column.categories, values).astype("<i4").tobytes()


def map_bytes(population: Population, space: str, method: str) -> bytes:
    """Float32 x0 y0 x1 y1 ... of a map, little endian, within [-1, 1]; NaN for samples that have no place on it.

    Raises:
        MissingError: no such space.
        QuestionError: no such method.
    """
    return population.map(space or None, method).astype("<f4").tobytes()


def prepare(population: Population) -> None:
    """Compute what the page opens with."""
    assert population.columns
    population.map(None, METHODS[0])


def _on_scale(column: Column, values: NDArray[Any]) -> NDArray[np.float64]:
    """Doubles; where float32 would merge what a person tells apart, less the column's origin."""
    numbers = np.array([np.nan if v is None else float(v) for v in values]) if values.dtype == object else values
    if column.origin is UNSET:
        return numbers.astype(np.float64)
    whole = np.array([np.nan if v is None or v != v else int(v) - int(column.origin) for v in values.tolist()])
    return whole.astype(np.float64)
