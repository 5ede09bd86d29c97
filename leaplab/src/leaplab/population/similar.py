"""Samples that are near to others in a latent space."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from leaplab.population.notebook import page_of_similar

if TYPE_CHECKING:
    from leaplab.population.population import Population


@dataclass(frozen=True)
class Similar:
    """A sample that is near to others.

    Attributes:
        row: in the run.
        distance: by the metric that was asked for.
    """

    sample_id: str
    state: str
    row: int
    distance: float


@dataclass(frozen=True)
class SimilarSamples:
    """What is near to some samples.

    Attributes:
        space: the latent space that distances are of.
        metric: `cosine` or `euclidean`.
        query: ids of the samples that were looked from.
        similar: nearest first.
        looked_from: rows of the samples that were looked from.
        population: that a notebook draws the map of.
    """

    space: str
    metric: str
    query: tuple[str, ...]
    similar: tuple[Similar, ...]
    looked_from: tuple[int, ...] = ()
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample that was found, nearest first."""
        names = [each.name for each in fields(Similar)]
        return {name: [getattr(each, name) for each in self.similar] for name in names}

    def _repr_html_(self) -> str:
        return page_of_similar(self)
