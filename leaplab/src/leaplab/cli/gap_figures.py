"""A domain gap as a figure."""

from typing import TYPE_CHECKING

from leaplab.analysis.numerals import numeral
from leaplab.analysis.projection import METHODS
from leaplab.population.columns import values_of
from leaplab.population.gap import DomainGap
from leaplab.population.gap_matrix import DomainGaps
from leaplab.population.population import Population
from leaplab.render.gap_chart import PANELS, Panel, Shown, gap_chart, matrix_chart

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def figure_of_gap(population: Population, answer: DomainGap) -> "Figure":
    """The populations on the map, and the columns in which source and target differ most."""
    shown = [
        Shown(f"source: {answer.source.where}", answer.source.rows),
        Shown(f"target: {answer.target.where}", answer.target.rows),
    ]
    if answer.rank is not None:
        import numpy as np

        ranked = np.array([each.row for each in answer.ranked], np.int64)
        shown.append(Shown(f"ranked: {answer.rank}", ranked))
    members = [each.members for each in shown]
    panels = []
    for each in answer.measured.columns[:PANELS]:
        source, target = each.told()
        shift = "" if each.shift is None else f", shift {each.shift:+.1f}"
        told = f"{source} and {target}{shift}; effect {each.effect:.2f}"
        panels.append(_panel(population, each.column, told, members))
    found = answer.measured
    title = (
        f"Domain gap of {population.store.path.name}: p {numeral(found.p)}, AUC {found.auc:.2f} ({found.low:.2f} to"
        f" {found.high:.2f})"
    )
    return gap_chart(population.map(answer.space, METHODS[0]), shown, panels, title, answer.power)


def figure_of_gaps(population: Population, answer: DomainGaps) -> "Figure":
    """A square a pair of values."""
    texts = [answer.told(row) for row in range(len(answer.populations))]
    title = f"Domain gaps of {population.store.path.name} by {answer.by}"
    below = "AUC of telling two populations apart (0.5 is chance); a star where they differ, p at most 0.05 (Holm)."
    return matrix_chart(answer.populations, answer.matrix.auc, texts, title, below)


def _panel(population: Population, name: str, told: str, members: "list[NDArray[np.integer]]") -> Panel:
    column = population.column(name)
    values = values_of(column, population.values(name))
    return Panel(name, told, [values.numbers[rows] for rows in members], values.categories)
