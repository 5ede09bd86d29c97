"""Lists of samples as figures: what to label, and what to keep."""

from typing import TYPE_CHECKING

import numpy as np

from leaplab.analysis.projection import METHODS
from leaplab.population.labelling import GREATEST, LabellingList
from leaplab.population.population import Population
from leaplab.population.pruning import PrunedList
from leaplab.population.sharing import codes_of_column
from leaplab.render.list_chart import Row, list_chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def figure_of_labelling(population: Population, answer: LabellingList, balance: str | None) -> "Figure":
    """The list on the map, beside its shares by the column that it is balanced by, or beside its coverage."""
    name = population.store.path.name
    title = f"{answer.budget:,} of {len(answer.pool):,} {answer.state} samples of {name} to label"
    names: tuple[str, ...] = ("distance",)
    if balance is not None:
        rows, names = _shares(population, balance, answer.pool, answer.rows), ("share of all", "share of the list")
        below = f"Shares of {balance}."
    else:
        weighted = all(each.where_loss_is is not None for each in answer.comparison)
        rows = []
        for each in answer.comparison:
            of = each.where_loss_is if weighted and each.where_loss_is is not None else each.mean_distance
            rows.append(
                Row(each.choice if each.choice != GREATEST else "the highest predicted loss", [of], [f"{of:.2f}"])
            )
        how = ", weighted by predicted loss" if weighted else ""
        below = f"Bars: mean distance of all samples to the nearest chosen one{how}; less is better."
    points = population.map(answer.space, METHODS[0])
    return list_chart(points, answer.pool, answer.rows, rows, names, title, below)


def figure_of_pruning(population: Population, answer: PrunedList, balance: str | None) -> "Figure":
    """What is kept on the map, beside the shares of the column that it is balanced by, or of the clusters."""
    whole = len(answer.rows) + len(answer.dropped)
    title = f"{len(answer.rows):,} of {whole:,} {answer.state} samples of {population.store.path.name} are kept"
    pool = np.sort(np.concatenate([answer.rows, answer.dropped]))
    names = ("samples", "kept")
    if balance is not None:
        rows, names = _shares(population, balance, pool, answer.rows), ("share of all", "share of what is kept")
        below = f"Shares of {balance}."
    else:
        rows = [
            Row(f"cluster {each.number}", [each.size, each.kept], [f"{each.size:,}", f"{each.kept:,}"])
            for each in answer.clusters
        ]
        below = "Samples of each cluster, and how many of them are kept."
    return list_chart(
        population.map(answer.space, METHODS[0]), pool, answer.rows, rows, names, title, below, ("kept", "dropped")
    )


def _shares(population: Population, column: str, pool: "NDArray[np.int64]", chosen: "NDArray[np.int64]") -> list[Row]:
    codes, names = codes_of_column(population, column, pool)
    there = np.bincount(codes[codes >= 0], minlength=len(names)) / len(pool)
    inside = codes[np.isin(pool, chosen) & (codes >= 0)]
    taken = np.bincount(inside, minlength=len(names)) / len(chosen)
    return [
        Row(name, [float(of), float(now)], [f"{of:.1%}", f"{now:.1%}"])
        for name, of, now in zip(names, there, taken, strict=True)
    ]
