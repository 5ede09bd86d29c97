"""Which samples of a run to label first, and why each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.analysis.labelling import FOCUS, Chosen, Coverage, Pool, choose, coverage
from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.population.cached import cached
from leaplab.population.computed import ComputedColumn
from leaplab.population.notebook import page_of_labelling
from leaplab.population.predicted_loss import predicted_loss_of
from leaplab.population.samples import HASH_COLUMN
from leaplab.population.sharing import balancing_codes, codes_of_column, in_canonical_order, rows_of_list

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SEED = 0
RANDOM_LISTS = 5
"""Over which the coverage of random samples is averaged."""
RANK = "labelling_rank"
"""Column that is kept on the run."""
RANDOM, GREATEST, LIST = "random", "highest predicted loss", "this list"


@dataclass(frozen=True)
class Wishes:
    """How a list is to be.

    Attributes:
        state: of the samples that may be chosen.
        balance: column of which each value gets the same share.
        apart: column of which no value comes twice before each has come once.
        after: former list to go on from.
        score: loss or metric whose prediction says what matters; None takes the first loss.
        focus: share of the weight that goes by the predicted loss, in [0, 1].
        space: latent space; None takes the first.
    """

    state: str = "unlabeled"
    balance: str | None = None
    apart: str | None = None
    after: Path | None = None
    score: str | None = None
    focus: float = FOCUS
    space: str | None = None


@dataclass(frozen=True)
class ToLabel:
    """A sample to label.

    Attributes:
        sample_id: its id.
        rank: from 1.
        predicted_loss: None where no loss can be predicted.
        cluster: the cluster that it stands for, 0 the heaviest.
        reason: in a phrase.
    """

    sample_id: str
    rank: int
    predicted_loss: float | None
    cluster: int
    reason: str


@dataclass(frozen=True)
class Compared:
    """A choice of as many samples, and how well it stands for all that could be chosen.

    Attributes:
        choice: `random`, `highest predicted loss` or `this list`.
        mean_distance: of all samples to the nearest chosen one, in standardised principal components.
        where_loss_is: the same, weighted by predicted loss; None where none is known.
        mean_predicted_loss: of the chosen; None likewise.
        clusters_touched: share of the list's clusters that it has a sample of.
        near_duplicate_pairs: within it.
        shared: how many of its samples are in the list, too.
        sample_ids: its samples; of several random ones, the first.
    """

    choice: str
    mean_distance: float
    where_loss_is: float | None
    mean_predicted_loss: float | None
    clusters_touched: float
    near_duplicate_pairs: float
    shared: float
    sample_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabellingList:
    """The samples to label, the first to label first.

    Attributes:
        state: whose samples they are.
        budget: how many.
        samples: them.
        rows: [b] int64, of the run.
        pool: [n] rows that could be chosen.
        former: [m] rows of the former list.
        near: samples that are left out as near-duplicates of a chosen or former one.
        comparison: with what else could be chosen; empty where it was not asked for.
        notices: what to know: a sentence each.
        space: the latent space.
        population: that a notebook draws the map of.
    """

    state: str
    budget: int
    samples: tuple[ToLabel, ...]
    rows: NDArray[np.int64]
    pool: NDArray[np.int64]
    former: NDArray[np.int64]
    near: int
    comparison: tuple[Compared, ...]
    notices: tuple[str, ...]
    space: str
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample: sample_id, state, rank, predicted_loss, cluster, reason."""
        return {
            "sample_id": [each.sample_id for each in self.samples],
            "state": [self.state] * len(self.samples),
            "rank": [each.rank for each in self.samples],
            "predicted_loss": [each.predicted_loss for each in self.samples],
            "cluster": [each.cluster for each in self.samples],
            "reason": [each.reason for each in self.samples],
        }

    def told(self) -> str:
        """In a sentence."""
        left_out = f"; {self.near:,} near-duplicates of these are left out" if self.near else ""
        before = f", beside {len(self.former):,} of a former list" if len(self.former) else ""
        return f"{self.budget:,} of {len(self.pool):,} samples of {self.state} to label{before}{left_out}."

    def _repr_html_(self) -> str:
        return page_of_labelling(self)


def labelling_list_of(
    population: "Population",
    budget: int,
    wishes: Wishes | None = None,
    among: NDArray[np.int64] | None = None,
    *,
    compare: bool = False,
) -> LabellingList:
    """The samples to label; their ranks are kept on the run as `analysis.labelling_rank`.

    Args:
        budget: how many.
        among: rows that may be chosen; None takes all of the state.
        compare: with random samples and those of the highest predicted loss.

    Raises:
        LeaplabError: there is no such state, space or column, a column has no value for any of the samples, there are
            fewer samples than asked for, or the former list is none of this run's samples.
    """
    wishes = wishes or Wishes()
    _require(population, budget, wishes)
    space = population.space(wishes.space)
    vectors = population.vectors(space)
    former = np.zeros(0, np.int64) if wishes.after is None else rows_of_list(population, wishes.after)
    rows = np.flatnonzero(np.array(population.states, object) == wishes.state)
    rows = rows if among is None else rows[np.isin(rows, among)]
    notices = []
    placed = np.isin(rows, vectors.rows)
    if not placed.all():
        notices.append(
            f"Without a finite vector, and so not to be chosen: {(~placed).sum():,} of {len(rows):,} samples."
        )
    rows = in_canonical_order(population, rows[placed & ~np.isin(rows, former)])
    losses, why_not = _predicted(population, wishes, rows)
    notices += [] if why_not is None else [why_not]
    groups = None
    if wishes.balance is not None:
        groups, _ = balancing_codes(population, wishes.balance, rows, budget)
        if (groups < 0).any():
            absent = (groups < 0).sum()
            notices.append(f"Without a value of {wishes.balance}, and so in no balanced list: {absent:,} samples.")
        valued = groups >= 0
        rows, groups = rows[valued], groups[valued]
        losses = None if losses is None else losses[valued]
    if budget > len(rows):
        left = "of these samples are left" if wishes.after is not None else "samples can be chosen"
        raise QuestionError(
            f"The budget is {budget:,}, but only {len(rows):,} {left} in {wishes.state}; take a smaller one."
        )
    apart = None if wishes.apart is None else codes_of_column(population, wishes.apart, rows)[0]
    copies, copied = _copies(population, rows, former)
    of_former = former[np.isin(former, vectors.rows)]
    pool = Pool(
        vectors.values[np.searchsorted(vectors.rows, rows)], losses, groups, apart, copies,
        vectors.values[np.searchsorted(vectors.rows, of_former)] if len(of_former) else None, copied,
    )  # fmt: skip
    known = _answer(population, pool, rows, budget, wishes.focus, space, compare)
    if known.repeated:
        notices.append(
            f"Near-duplicates of others of the list, since nothing else is left to choose: {known.repeated:,} samples."
        )
    if apart is not None and len(np.unique(apart[apart >= 0])) < budget:
        notices.append(
            f"{wishes.apart} has {len(np.unique(apart[apart >= 0])):,} values, fewer than the budget, so that some come"
            " more than once."
        )
    answer = LabellingList(
        wishes.state,
        budget,
        _told(population, pool, rows, known),
        rows[known.places],
        rows,
        former,
        known.near,
        known.comparison,
        tuple(notices),
        space,
        population,
    )
    ranks = np.full(population.samples, np.nan)
    ranks[answer.rows] = np.arange(1, budget + 1)
    population.keep(RANK, ComputedColumn(f"rank among the samples of {wishes.state} to label", ranks))
    return answer


def _require(population: "Population", budget: int, wishes: Wishes) -> None:
    if budget < 1:
        raise QuestionError(f"--budget is how many samples to label, at least 1, not {budget}.")
    if not 0 <= wishes.focus <= 1:
        raise QuestionError(f"--focus goes from 0 to 1, so not {wishes.focus:g}.")
    states = population.store.manifest.states
    if wishes.state not in states:
        raise MissingError(
            f"This run has no state '{wishes.state}' to choose from; it has {', '.join(states)}: name one by --state."
        )


def _predicted(
    population: "Population", wishes: Wishes, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, str | None]:
    """[n] predicted losses, or why there are none."""
    if not len(rows):
        return None, None
    if wishes.score is not None:
        population.column(wishes.score)
    try:
        # Of the whole state: which samples may be chosen says nothing about their loss.
        found = predicted_loss_of(population, wishes.state, wishes.score, wishes.space)
    except LeaplabError as error:
        if wishes.score is not None:
            raise
        return None, f"All samples weigh alike, since no loss can be predicted: {error}"
    losses = np.full(population.samples, np.nan)
    losses[found.rows] = found.predicted
    return losses[rows], None


def _copies(
    population: "Population", rows: NDArray[np.int64], former: NDArray[np.int64]
) -> tuple[NDArray[np.int64] | None, NDArray[np.bool_] | None]:
    """[n] equal where the inputs are, and whether they are those of a former sample; None where it is not known."""
    if HASH_COLUMN not in population.columns:
        return None, None
    hashes = population.values(HASH_COLUMN)
    before = {hashes[row] for row in former.tolist() if hashes[row]}
    codes: dict[Any, int] = {}
    found = [codes.setdefault(hashes[row] or row, len(codes)) for row in rows.tolist()]
    return np.array(found, np.int64), np.array([hashes[row] in before for row in rows.tolist()], np.bool_)


class _Kept(Struct):
    """What is cached of an answer."""

    places: list[int]
    clusters: list[int]
    sizes: list[int]
    near: int
    repeated: int
    comparison: tuple[Compared, ...]


def _answer(
    population: "Population",
    pool: Pool,
    rows: NDArray[np.int64],
    budget: int,
    focus: float,
    space: str,
    compare: bool,
) -> _Kept:
    decided = hashlib.sha256(rows.tobytes())
    for each in (pool.losses, pool.groups, pool.apart, pool.copies, pool.former, pool.copied):
        decided.update(b"none" if each is None else np.ascontiguousarray(each).tobytes())
    parameters = {"space": space, "budget": budget, "focus": focus, "seed": SEED, "of": decided.hexdigest()}

    def computed() -> NDArray[np.uint8]:
        chosen = choose(pool, budget, focus, SEED)
        sizes = np.bincount(chosen.numbers[chosen.numbers >= 0], minlength=budget)[chosen.clusters]
        arrays = (chosen.places.tolist(), chosen.clusters.tolist(), sizes.tolist())
        comparison = _compared(population, pool, chosen, rows) if compare else ()
        kept = _Kept(*arrays, chosen.near, chosen.repeated, comparison)
        return np.frombuffer(msgspec.json.encode(kept), np.uint8)

    content = cached(population.store, "labelling", VERSION, {**parameters, "compare": compare}, computed).tobytes()
    return msgspec.json.decode(content, type=_Kept)


def _compared(population: "Population", pool: Pool, chosen: Chosen, rows: NDArray[np.int64]) -> tuple[Compared, ...]:
    count, budget = len(rows), len(chosen.places)
    generator = np.random.default_rng(SEED)
    choices = {RANDOM: [generator.permutation(count)[:budget] for _ in range(RANDOM_LISTS)]}
    if pool.losses is not None:
        choices[GREATEST] = [np.argsort(-pool.losses, kind="stable")[:budget]]
    choices[LIST] = [chosen.places]
    return tuple(_one_compared(population, pool, chosen, rows, name, lists) for name, lists in choices.items())


def _one_compared(
    population: "Population",
    pool: Pool,
    chosen: Chosen,
    rows: NDArray[np.int64],
    name: str,
    lists: Sequence[NDArray[np.int64]],
) -> Compared:
    found: list[Coverage] = [coverage(pool, chosen, places) for places in lists]
    weighted = [each.where_loss_is for each in found if each.where_loss_is is not None]
    losses = [each.loss for each in found if each.loss is not None]
    return Compared(
        name,
        float(np.mean([each.distance for each in found])),
        float(np.mean(weighted)) if weighted else None,
        float(np.mean(losses)) if losses else None,
        float(np.mean([each.clusters for each in found])),
        float(np.mean([each.near_pairs for each in found])),
        float(np.mean([np.isin(places, chosen.places).sum() for places in lists])),
        tuple(population.ids[row] for row in rows[lists[0]]),
    )


def _told(population: "Population", pool: Pool, rows: NDArray[np.int64], known: _Kept) -> tuple[ToLabel, ...]:
    losses = pool.losses if pool.losses is not None else np.full(len(rows), np.nan)
    ordered = np.sort(losses[np.isfinite(losses)])
    samples = []
    for rank, (place, cluster, size) in enumerate(zip(known.places, known.clusters, known.sizes, strict=True), 1):
        loss = float(losses[place])
        reasons = [] if loss != loss else [_height(loss, ordered)]
        others = size - 1
        reasons.append(f"stands for {others:,} samples around it" if others > 1 else
                       "stands for one sample beside it" if others == 1 else "unlike any other")  # fmt: skip
        predicted = None if loss != loss else loss
        samples.append(ToLabel(population.ids[rows[place]], rank, predicted, cluster, ", ".join(reasons)))
    return tuple(samples)


def _height(loss: float, ordered: NDArray[np.float64]) -> str:
    """Where a loss lies among all, in words."""
    count = len(ordered)
    at_least = count - int(np.searchsorted(ordered, loss, side="left"))
    if 2 * at_least <= count:
        return f"predicted loss in the top {-(-100 * at_least // count)} %"
    return "predicted loss in the lower half" if loss < ordered[-1] else "predicted loss like all others"
