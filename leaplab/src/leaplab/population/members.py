"""Which rows of a run the members of an insight are."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.store.columns import ID, STATE
from leaplab.store.run import INSTANCE_ID

if TYPE_CHECKING:
    from leaplab.population.insights import FoundInsight
    from leaplab.population.population import Population


class MemberRows:
    """Rows of the samples that members are, or are element instances of.

    Args:
        population: the run.
    """

    def __init__(self, population: "Population") -> None:
        self._samples = population.rows_by_name
        self._instances: dict[tuple[str, str], int] = {}
        if population.store.has_instances:
            table = population.store.read_instances([STATE, INSTANCE_ID, ID])
            for state, instance, sample in zip(*(table[name].tolist() for name in table), strict=True):
                self._instances[state, instance] = self._samples[state, sample]

    def of(self, insight: "FoundInsight") -> NDArray[np.int64]:
        """[k] rows of the members that are listed, ascending, each once."""
        known = self._instances if insight.of_instances else self._samples
        return np.unique(np.array([known[member.state, member.sample_id] for member in insight.members], np.int64))
