"""The gaps between all values of a column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.analysis.corrections import holm
from leaplab.analysis.gap import PERMUTATIONS, drawn, gap_test, pooled_components, separation
from leaplab.analysis.insight.wording import counted, first_of
from leaplab.errors import QuestionError
from leaplab.population.cached import cached
from leaplab.population.columns import texts_of
from leaplab.population.gap_measured import LEVEL
from leaplab.population.notebook import page_of_gaps

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SMALLEST = 30
"""Samples of a value that is compared."""
MOST_VALUES = 12
"""That are compared: 66 pairs."""
MOST = 1_000
"""Samples of a value that are compared."""
PERMUTATIONS_A_PAIR = 80
"""The least p of a test is mostly 2 / (permutations + 1), and the correction multiplies it by the number of pairs."""

Matrix = tuple[tuple[float | None, ...], ...]


class Gaps(Struct, frozen=True):
    """Three numbers of each pair, None of a value with itself.

    Attributes:
        auc: of telling them apart.
        p: corrected for all pairs (Holm).
        energy: energy distance.
    """

    auc: Matrix
    p: Matrix
    energy: Matrix


@dataclass(frozen=True)
class DomainGaps:
    """The gaps between all values of a column.

    Attributes:
        by: the column.
        space: the latent space.
        populations: the values, the one with the most samples first.
        counts: samples of each.
        matrix: a row and a column a value.
        warnings: what was left out.
    """

    by: str
    space: str
    populations: tuple[str, ...]
    counts: tuple[int, ...]
    matrix: Gaps
    warnings: tuple[str, ...] = field(compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a pair."""
        pairs = list(combinations(range(len(self.populations)), 2))
        return {
            "source": [self.populations[one] for one, _ in pairs],
            "target": [self.populations[other] for _, other in pairs],
            **{
                name: [getattr(self.matrix, name)[one][other] for one, other in pairs]
                for name in Gaps.__struct_fields__
            },
        }

    def told(self, row: int) -> list[str]:
        """The AUC of a value with each other one, with a star where they differ."""
        pairs = zip(self.matrix.auc[row], self.matrix.p[row], strict=True)
        return ["" if auc is None or p is None else f"{auc:.2f}{'*' if p <= LEVEL else ''}" for auc, p in pairs]

    def _repr_html_(self) -> str:
        return page_of_gaps(self)


def gaps_of(
    population: "Population", by: str, space: str | None = None, among: NDArray[np.int64] | None = None
) -> DomainGaps:
    """Compare each value of a column with each other one.

    Args:
        by: a column of categories.
        among: rows that are compared; None takes all.

    Raises:
        LeaplabError: there is no such column or space, the column has no categories, or fewer than two values with 30
            samples that have a finite vector.
    """
    column = population.column(by)
    if not isinstance(column.categories, list):
        raise QuestionError(
            f"'{by}' has no categories to compare; name a column of a few texts, truth values or whole numbers by --by,"
            " or two populations by --source and --target."
        )
    space = population.space(space)
    vectors = population.vectors(space)
    kept = np.arange(len(vectors.rows)) if among is None else np.flatnonzero(np.isin(vectors.rows, among))
    texts = np.array(texts_of(population.values(by)[vectors.rows[kept]]), object)
    places = {name: kept[texts == name] for name in column.categories}
    by_size = sorted((name for name in places if len(places[name])), key=lambda name: -len(places[name]))
    large = [name for name in by_size if len(places[name]) >= SMALLEST]
    chosen = large[:MOST_VALUES]
    if len(chosen) < 2:
        have = "One value" if chosen else "No value"
        raise QuestionError(
            f"{have} of '{by}' has {SMALLEST} samples or more with a finite vector, and it takes two to be compared."
        )
    warnings = _left_out(by, by_size[len(large) :], large[MOST_VALUES:])
    if len(places[chosen[0]]) > MOST:
        warnings.append(f"At most {MOST:,} samples of a value are compared, drawn at random.")
    rows = np.concatenate([vectors.rows[places[name]] for name in chosen])
    parameters = {"space": space, "by": by, "values": chosen, "among": None if among is None else rows.tolist()}

    def computed() -> NDArray[np.uint8]:
        return np.frombuffer(
            msgspec.json.encode(_measured([vectors.values[places[name]] for name in chosen])), np.uint8
        )

    content = cached(population.store, "domain gaps", VERSION, parameters, computed).tobytes()
    counts = tuple(len(places[name]) for name in chosen)
    return DomainGaps(by, space, tuple(chosen), counts, msgspec.json.decode(content, type=Gaps), tuple(warnings))


def _left_out(by: str, small: Sequence[str], more: Sequence[str]) -> list[str]:
    warnings = []
    if small:
        warnings.append(
            f"{counted(len(small), 'value')} of '{by}' {'has' if len(small) == 1 else 'have'} fewer than {SMALLEST}"
            f" samples, and {'is' if len(small) == 1 else 'are'} left out: {first_of(small)}."
        )
    if more:
        warnings.append(
            f"The {MOST_VALUES} values of '{by}' with the most samples are compared; left out: {first_of(more)}."
        )
    return warnings


def _measured(values: Sequence[NDArray[np.float32]]) -> Gaps:
    pairs = list(combinations(range(len(values)), 2))
    some = [each[drawn(each, MOST)] for each in values]
    permutations = max(PERMUTATIONS, PERMUTATIONS_A_PAIR * len(pairs) - 1)
    tests, aucs = [], []
    for one, other in pairs:
        both = pooled_components(some[one], some[other])
        tests.append(gap_test(*both, permutations))
        aucs.append(separation(*both).auc)
    corrected = holm([each.p for each in tests])
    return Gaps(*(_square(len(values), pairs, each) for each in (aucs, corrected, [test.energy for test in tests])))


def _square(size: int, pairs: Sequence[tuple[int, int]], numbers: Sequence[float]) -> Matrix:
    rows: list[list[float | None]] = [[None] * size for _ in range(size)]
    for (one, other), number in zip(pairs, numbers, strict=True):
        rows[one][other] = rows[other][one] = float(number)
    return tuple(map(tuple, rows))
