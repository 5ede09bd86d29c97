"""What in a sample raises the loss, a class, a metric, its likeness to another or a detection, and what lowers it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import DeadIntegrationError, QuestionError
from leaplab.population.cached import cached
from leaplab.population.heatmap_kept import arrays_packed, arrays_unpacked, packed, unpacked
from leaplab.population.heatmap_page import page_of_heatmap
from leaplab.population.model_cuts import ModelCuts
from leaplab.protocol.explaining import (
    BASELINES,
    DECODERS,
    METHODS,
    Drawing,
    ExplainOrder,
    Explanation,
    Layer,
    Target,
    truth_visualizer,
)
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.model import LATENT_SPACE
from leaplab.protocol.operations import DESCRIBE, EXPLAIN

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 2
SEED = 0
POPULATION = 64
"""Samples that the mean is of which stands for what is absent."""
KINDS = ("loss", "class", "metric", "instance", "similar", "detection")
ALONE = ("loss",)
"""What needs no name behind a colon."""


@dataclass(frozen=True)
class HeatmapQuestion:
    """What is asked of a heat-map.

    Attributes:
        row: of the sample, in the run.
        of: `loss` (the sum of all), `loss:NAME`, `class:NAME`, `class:all`, `metric:NAME`, `instance:N` or
            `instance:N:METRIC`, from 0 on, `similar:ID` or `detection:K`, from 1 on.
        input: that it lies over; None takes the first that is an image.
        method: `ablation`, `occlusion` or `gradient`.
        layer: to cut the model at; None chooses.
        block: cells (of occlusion, pixels or entries) of a side of what is taken away at once; None chooses.
        baseline: what stands for what is absent: `mean` of the population, the sample's own `blur`, or `zero`.
        decoder: `yolo` where detections are rows of the output; None asks the integration's visualizer.
    """

    row: int
    of: str = "loss"
    input: str | None = None
    method: str = "ablation"
    layer: str | None = None
    block: int | None = None
    baseline: str = "mean"
    decoder: str | None = None


@dataclass(frozen=True)
class Heatmap:
    """A heat-map of one sample.

    Attributes:
        id, state: of the sample.
        of: what it is of.
        method: that computed it: another than was asked for where that is not possible, see `notices`.
        layer: of the model, that it was cut at; empty for occlusion.
        baseline: what stood for what was taken away.
        input: name of the input that it lies over.
        names: K, the classes of `class:all`, else one.
        targets: [K] float64, what the target is for the sample as it is.
        values: [K, H, W] float64, in the target's own units: by how much it falls where that cell is taken away, so
            that what raises the target is positive and what lowers it negative; NaN where it is no number then.
        picture: [H, W, C] float32, the sample's input that the map lies over; of any shape where that is no image.
        is_image: whether it is one.
        notices: what to know of it, a sentence each.
        drawing: the same by the integration's own visualizer; None where it has none for the input, or it failed.
    """

    id: str
    state: str
    of: str
    method: str
    layer: str
    baseline: str
    input: str
    names: tuple[str, ...]
    targets: NDArray[np.float64]
    values: NDArray[np.float64]
    picture: NDArray[np.float32] = field(repr=False)
    is_image: bool
    notices: tuple[str, ...] = ()
    drawing: Drawing | None = field(default=None, repr=False)
    population: "Population | None" = field(default=None, repr=False, compare=False)

    @property
    def target_value(self) -> float | dict[str, float]:
        """What the target is for the sample as it is; class -> value where the map is of all classes."""
        values = self.targets.tolist()
        return dict(zip(self.names, values, strict=True)) if self.of == "class:all" else values[0]

    @property
    def is_flat(self) -> bool:
        """Whether nothing that was taken away changes anything: there is no map then."""
        return not np.any(np.nan_to_num(self.values))

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a cell: `of`, its `row` and `column`, and the `change`, None where it is unknown."""
        names, (rows, columns) = self.names, self.values.shape[1:]
        cells = [(name, row, column) for name in names for row in range(rows) for column in range(columns)]
        flat = self.values.reshape(-1).tolist()
        return {
            "of": [name for name, _, _ in cells],
            "row": [row for _, row, _ in cells],
            "column": [column for _, _, column in cells],
            "change": [None if np.isnan(value) else value for value in flat],
        }

    def _repr_html_(self) -> str:
        return page_of_heatmap(self)


class HeatMaps:
    """Heat-maps of a run's samples. The run's integration is bound when the first is computed, until `close`.

    Args:
        population: the run.

    Attributes:
        cuts: of the run's model, in the integration's process.
    """

    def __init__(self, population: "Population") -> None:
        self._population = population
        self.cuts = ModelCuts(population.store.manifest)

    def of(self, question: HeatmapQuestion) -> Heatmap:
        """A heat-map: computed once a run, then read.

        Raises:
            LeaplabError: the question names what is not there or makes no sense, the target needs a ground truth that
                the sample has not, or the run's integration cannot be bound.
        """
        known = _checked(question)
        population = self._population
        sample = SampleOrder(population.states[known.row], population.ids[known.row])
        target = self._target(known)
        parameters = {**vars(known), "row": None, "of": known.of, "state": sample.state, "id": sample.sample_id}

        def computed() -> NDArray[np.uint8]:
            return packed(self._computed(known, sample, target))

        found = unpacked(cached(population.store, "heatmap", VERSION, parameters, computed))
        notices = found.notices
        if not np.any(np.nan_to_num(found.values)):
            notices = (
                *notices,
                f"Nothing that is taken away from '{sample.sample_id}' changes {known.of}, so that there is no map.",
            )
        return Heatmap(
            sample.sample_id,
            sample.state,
            known.of,
            found.method,
            found.layer,
            found.baseline,
            found.input,
            found.names,
            found.targets,
            found.values,
            found.picture,
            found.is_image,
            notices,
            found.drawing,
            population,
        )

    def explained(self, question: HeatmapQuestion, asks_truth: bool = False) -> Explanation:
        """A heat-map as the integration's process gives it, which is kept nowhere.

        Args:
            asks_truth: with what the visualizer of the ground truth shows, and without a drawing.

        Raises:
            LeaplabError: see `of`.
        """
        known = _checked(question)
        sample = SampleOrder(self._population.states[known.row], self._population.ids[known.row])
        return self._computed(known, sample, self._target(known), asks_truth)

    @property
    def truth_visualizer(self) -> str:
        """The unique name of the visualizer that says where the ground truth lies; empty where there is none.

        Raises:
            LeaplabError: the run's integration cannot be bound.
        """
        node = truth_visualizer(self.cuts.session.call(DESCRIBE))
        return "" if node is None else node.column

    def layers(self, question: HeatmapQuestion) -> list[Layer]:
        """Where the model can be cut, from its inputs on.

        Raises:
            LeaplabError: it tells no graph, there is no such input, or the run's integration cannot be bound.
        """
        population = self._population
        sample = SampleOrder(population.states[question.row], population.ids[question.row])
        return self.cuts.layers(sample, question.input or "")

    def close(self) -> None:
        """End the integration's process, if there is one."""
        self.cuts.close()

    def __enter__(self) -> "HeatMaps":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _target(self, question: HeatmapQuestion) -> Target:
        kind, _, name = question.of.partition(":")
        reference = None
        if kind == "similar":
            population = self._population
            row = population.row_of(name)
            vectors = population.vectors(LATENT_SPACE)
            place = int(np.searchsorted(vectors.rows, row))
            if place == len(vectors.rows) or vectors.rows[place] != row:
                raise QuestionError(f"The vector of '{name}' holds NaN or infinity, so that nothing is similar to it.")
            if row == question.row:
                raise QuestionError(f"'{name}' is the sample itself; name another by --of similar:ID.")
            reference = vectors.values[place]
        return Target(kind, name, reference, question.decoder or "")

    def _computed(
        self, question: HeatmapQuestion, sample: SampleOrder, target: Target, asks_truth: bool = False
    ) -> Explanation:
        order = ExplainOrder(
            sample,
            target,
            question.method,
            question.baseline,
            question.input or "",
            question.block,
            layer=question.layer or "",
            asks_truth=asks_truth,
        )
        try:
            order, notices = self.cuts.cut(order)
            is_mean = order.baseline == "mean"
            found = self._with_means(order) if is_mean else self.cuts.session.call(EXPLAIN, order)
        except DeadIntegrationError:
            self.cuts.close()  # the next one is computed in a process of its own
            raise
        return replace(found, means=(), notices=(*notices, *found.notices))

    def _with_means(self, order: ExplainOrder) -> Explanation:
        """The answer, with the means of the population kept for the next one."""
        answers: list[Explanation] = []
        session = self.cuts.session

        def computed() -> NDArray[np.uint8]:
            answers.append(session.call(EXPLAIN, replace(order, population=self._seeded())))
            return arrays_packed(list(answers[0].means))

        maps = [] if order.split is None else [each.tensor for each in order.split.maps]
        parameters = {"method": order.method, "input": order.input, "layer": order.layer, "maps": maps}
        means = tuple(arrays_unpacked(cached(self._population.store, "heatmap means", VERSION, parameters, computed)))
        if answers:
            return answers[0]
        return session.call(EXPLAIN, replace(order, means=means or None, population=() if means else self._seeded()))

    def _seeded(self) -> tuple[SampleOrder, ...]:
        """Some samples of the run, the same whatever the order of its rows."""
        population = self._population
        keys = sorted(zip(population.states, population.ids, strict=True))
        count = min(POPULATION, len(keys))
        chosen = np.random.default_rng(SEED).choice(len(keys), count, replace=False)
        return tuple(SampleOrder(*keys[place]) for place in sorted(chosen))


def extremes(answer: Heatmap, count: int) -> list[tuple[str, float]]:
    """The cells of a map that change the target most, each way, with where they lie in words.

    Args:
        count: the most that are told of each way.

    Returns:
        (place, change) pairs: what raises most first, then what lowers most.
    """
    values = answer.values[0]
    flat = np.nan_to_num(values).reshape(-1)
    order = np.argsort(-flat, kind="stable").tolist()
    raising = [cell for cell in order[:count] if flat[cell] > 0]
    lowering = [cell for cell in order[::-1][:count] if flat[cell] < 0]
    return [(_place(answer, cell), float(flat[cell])) for cell in (*raising, *lowering)]


def _place(answer: Heatmap, cell: int) -> str:
    rows, columns = answer.values.shape[1:]
    row, column = divmod(cell, columns)
    if rows == 1:
        return f"of entry {column + 1}"
    return f"in row {row + 1} of {rows}, column {column + 1} of {columns}"


def _checked(question: HeatmapQuestion) -> HeatmapQuestion:
    """
    Raises:
        QuestionError: there is no such target, method or baseline, or they do not go together.
    """
    kind, colon, name = question.of.partition(":")
    if kind not in KINDS or (not name and (colon or kind not in ALONE)):
        raise QuestionError(
            f"There is no heat-map of '{question.of}'; it is of loss, loss:NAME, class:NAME, class:all, metric:NAME,"
            " instance:N, similar:ID or detection:K."
        )
    for what, given, known in (("method", question.method, METHODS), ("baseline", question.baseline, BASELINES)):
        if given not in known:
            raise QuestionError(f"There is no {what} '{given}'; there are {', '.join(known)}.")
    if question.block is not None and question.block < 1:
        raise QuestionError(f"A block has one cell or more a side, not {question.block}.")
    if question.decoder is not None and question.decoder not in DECODERS:
        raise QuestionError(f"There is no decoder '{question.decoder}'; there is {', '.join(DECODERS)}.")
    if question.decoder is not None and kind != "detection":
        raise QuestionError(
            f"--decoder tells where a detection lies, and the heat-map is of {question.of}; leave it out."
        )
    if question.layer is not None and question.method == "occlusion":
        raise QuestionError(
            "Occlusion takes patches of the input away, and no layer; leave out --layer or take ablation."
        )
    return question
