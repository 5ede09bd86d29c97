"""What a finder is given: samples as plain arrays, and what all finders share of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.clustering import Clustering, cluster
from leaplab.analysis.components import standard_components
from leaplab.analysis.differences import Values
from leaplab.analysis.graph import NeighbourGraph, neighbour_graph

TRAINING, VALIDATION, TEST, UNLABELED, ADDITIONAL = "training", "validation", "test", "unlabeled", "additional"


@dataclass(frozen=True)
class Score:
    """How bad each sample is for the model.

    Attributes:
        column: the loss or metric that says so.
        values: [n] as they are stored; NaN where absent.
        badness: [n] the same, turned so that more is worse.
        failed: [n] whether a metric that is 0 or 1 says that the sample failed; None where there is no such metric.
    """

    column: str
    values: NDArray[np.float64]
    badness: NDArray[np.float64]
    failed: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Labels:
    """The true class of each sample.

    Attributes:
        source: the ground truth, or the column, that they are of.
        codes: [n] int64; -1 where there is none.
        names: by code.
        predicted: [n] the class that the model says, -1 where it says none; None where no prediction is stored.
    """

    source: str
    codes: NDArray[np.int64]
    names: Sequence[str]
    predicted: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Space:
    """A latent space, and what is made of it once: when a finder first asks, for all that ask later.

    Attributes:
        name: of the space.
        rows: [m] the samples that have a finite vector, ascending.
        vectors: [m, W] float32, as stored.
    """

    name: str
    rows: NDArray[np.int64]
    vectors: NDArray[np.float32]

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The place of each sample among those with a vector; -1 where it has none."""
        if not len(self.rows):
            return np.full(len(rows), -1)
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[places] == rows, places, -1)

    @cached_property
    def components(self) -> NDArray[np.float32]:
        """[m, <= 32], see `leaplab.analysis.components`."""
        return standard_components(self.vectors)

    @cached_property
    def graph(self) -> NeighbourGraph:
        """The nearest neighbours among the components; its rows are places from 0 to m - 1."""
        return neighbour_graph(self.components)

    @cached_property
    def clusters(self) -> Clustering:
        """The clusters of the m vectors, see `leaplab.analysis.clustering`."""
        return cluster(self.vectors)


@dataclass(frozen=True)
class Samples:
    """n samples, or element instances, in an order that no evaluation decides.

    Attributes:
        states: [n] text.
        columns: name -> [n] values that a finding may be told in: metadata and image properties.
        score: how bad each is; None where the run has no such column.
        labels: the true class of each; None where the run tells none.
        space: the latent space; None where the run has none.
        hashes: [n] a text that is equal where all inputs are; None where the run has none.
        thumbnails: input that is an image -> [n, 16, 16, C] uint8.
        domains: columns whose values are domains, by the integration's own settings.
        absent: why labels, the score or the space are None: a sentence each, by the attribute's name.
        noun: what one of them is called.
    """

    states: NDArray[np.object_]
    columns: Mapping[str, Values]
    score: Score | None = None
    labels: Labels | None = None
    space: Space | None = None
    hashes: NDArray[np.object_] | None = None
    thumbnails: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    domains: Sequence[str] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    noun: str = "sample"

    def __len__(self) -> int:
        return len(self.states)

    def in_state(self, state: str) -> NDArray[np.bool_]:
        """[n] whether a sample is of a state."""
        return np.asarray(self.states == state)

    @property
    def labelled_states(self) -> list[str]:
        """States, other than the unlabeled one, that are not empty: what is held out first, training last."""
        present = set(self.states.tolist())
        return [state for state in (VALIDATION, TEST, ADDITIONAL, TRAINING) if state in present]
