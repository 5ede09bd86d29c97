"""The insights of a run: what its finders say, completed and kept."""

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from leaplab.analysis.differences import Difference, differences
from leaplab.analysis.insight.divide import divided
from leaplab.analysis.insight.registry import KINDS, Finder, finder, kinds
from leaplab.analysis.insight.result import Action, BoundTest, Insight
from leaplab.analysis.insight.samples import Samples
from leaplab.errors import QuestionError
from leaplab.population.cached import cached, is_cached
from leaplab.population.known_insights import Known, read_known, stable_id, write_known
from leaplab.population.landmarks import LEAST, LOOKED_AT, notice_of, standing_for
from leaplab.population.notebook import page_of_insights
from leaplab.population.samples import Chosen, choose, choose_instances
from leaplab.store.columns import STATE
from leaplab.store.run import INSTANCE_ID

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
OF_INSTANCES = ("low_performance",)
"""Kinds that are looked for among element instances, too."""
Progress = Callable[[str, int, int], None]
"""What is looked for now, how many kinds are done, and of how many."""


class Member(Struct, frozen=True):
    """A sample, or element instance, of an insight, and how strongly it is one."""

    sample_id: str
    state: str
    score: float | None


class FoundInsight(Struct, frozen=True):
    """An insight, see `leaplab.analysis.insight.Insight`.

    Attributes:
        id: its kind and its place among those of its kind, the most severe first; `.1` behind it is a part of it.
        space: that it was found in; None where no latent space was looked at.
        members: those to look at first in front.
        member_count: how many there are, where fewer are listed.
        differences: what sets the members apart from the rest, the largest effect first.
        parent: id of the insight that it is a part of.
        stable_id: outlives the next evaluation where half of its members do.
        of_instances: whether the members are element instances, whose ids are told in place of the samples'.
    """

    id: str
    kind: str
    severity: float
    title: str
    explanation: str
    action: Action
    state: str | None
    space: str | None
    population: int
    members: tuple[Member, ...]
    member_count: int
    baseline: Mapping[str, float | None]
    inside: Mapping[str, float | None]
    statistics: Mapping[str, float | str | None]
    differences: tuple[Difference, ...]
    tests: tuple[BoundTest, ...]
    parent: str | None
    stable_id: str
    of_instances: bool


class Silent(Struct, frozen=True):
    """A kind of which there is no insight, and why."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Insights:
    """What the finders say of a run.

    Attributes:
        insights: the most severe first, the parts of each behind it.
        silent: kinds of which there is none.
        scores: kind -> one value a sample, of kinds that give one.
        notices: what to know: a sentence each.
        population: that a notebook draws the map of.
    """

    insights: tuple[FoundInsight, ...]
    silent: tuple[Silent, ...]
    scores: Mapping[str, "Scores"]
    notices: tuple[str, ...] = ()
    population: "Population | None" = dataclasses.field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a member of each insight."""
        rows = [(each, member) for each in self.insights for member in each.members]
        return {
            "insight": [each.id for each, _ in rows],
            "kind": [each.kind for each, _ in rows],
            "severity": [each.severity for each, _ in rows],
            "title": [each.title for each, _ in rows],
            "sample_id": [member.sample_id for _, member in rows],
            "state": [member.state for _, member in rows],
            "score": [member.score for _, member in rows],
        }

    def score_table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample and kind: kind, state, sample_id, score."""
        table: dict[str, list[Any]] = {"kind": [], "state": [], "sample_id": [], "score": []}
        for kind, scores in self.scores.items():
            table["kind"] += [kind] * len(scores.values)
            table["state"] += scores.states
            table["sample_id"] += scores.ids
            table["score"] += scores.values
        return table

    def _repr_html_(self) -> str:
        return page_of_insights(self)


@dataclass(frozen=True)
class Scores:
    """What a kind says of each sample that it says something of."""

    ids: list[str]
    states: list[str]
    values: list[float]


class _Kept(Struct, frozen=True):
    """One insight as it is cached: rows of the run instead of ids."""

    title: str
    explanation: str
    severity: float
    action: Action
    rows: list[int]
    scores: list[float | None]
    population: int
    state: str | None
    space: str | None
    baseline: dict[str, float | None]
    inside: dict[str, float | None]
    statistics: dict[str, float | str | None]
    tests: tuple[BoundTest, ...]
    differences: tuple[Difference, ...]
    of_instances: bool
    parts: tuple["_Kept", ...] = ()


class _KeptFound(Struct, frozen=True):
    """What one finder said, as it is cached; the scores are of `rows`."""

    insights: tuple[_Kept, ...]
    silent: str
    score_rows: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """What insights are asked for.

    Attributes:
        kinds: all where empty.
        score: column that says how bad a sample is; None chooses one.
        label: column of classes; None takes the ground truth.
        space: latent space; None takes the first.
        among: rows; None takes all.
        members: the most that are listed of an insight; None lists all.
    """

    kinds: Sequence[str] = ()
    score: str | None = None
    label: str | None = None
    space: str | None = None
    among: NDArray[np.int64] | None = None
    members: int | None = 100


def insights_of(population: "Population", question: Question, progress: Progress | None = None) -> Insights:
    """What the finders say.

    Raises:
        LeaplabError: there is no such kind, column or space, or the condition leaves no sample.
    """
    known = kinds()
    unknown = [kind for kind in question.kinds if kind not in known]
    if unknown:
        raise QuestionError(f"There is no insight of the kind '{unknown[0]}'; there are {', '.join(known)}.")
    if question.among is not None and not len(question.among):
        raise QuestionError("There is no sample to look at; widen the condition.")
    for column in (question.score, question.label):
        if column is not None:
            population.column(column)
    wanted = [kind for kind in known if not question.kinds or kind in question.kinds]
    asked = _Asked(population, question)
    found: dict[str, list[_KeptFound]] = {}
    for done, kind in enumerate(wanted):
        if progress is not None:
            progress(kind, done, len(wanted))
        found[kind] = list(asked.found(kind))
    return _told(population, question, found, () if asked.notice is None else (asked.notice,))


def are_cached(population: "Population", question: Question) -> bool:
    """Whether all that is asked for has been looked for before."""
    asked = _Asked(population, question)
    return all(asked.is_cached(kind) for kind in question.kinds or kinds())


class _Asked:
    """A question and its samples, which are read when the first finder needs them."""

    def __init__(self, population: "Population", question: Question) -> None:
        self._population, self._question = population, question
        self.notice = notice_of(population, question.among)

    @cached_property
    def _among(self) -> NDArray[np.int64] | None:
        return standing_for(self._population, self._question.among)

    @cached_property
    def _samples(self) -> Chosen:
        asked = self._question
        return choose(self._population, self._among, asked.score, asked.label, asked.space)

    @cached_property
    def _instances(self) -> Chosen | None:
        return choose_instances(self._population, self._among, self._question.space)

    def found(self, kind: str) -> Iterator[_KeptFound]:
        """What a finder says of the samples, and of the element instances where it is asked of these."""
        yield self._cached(kind, "samples", lambda: self._samples)
        if self._is_of_instances(kind):
            yield self._cached(kind, "instances", lambda: self._instances)

    def is_cached(self, kind: str) -> bool:
        """Whether `found` computes nothing."""
        of = ("samples", "instances") if self._is_of_instances(kind) else ("samples",)
        store = self._population.store
        return all(is_cached(store, "insights", VERSION, self._parameters(kind, each)) for each in of)

    def _is_of_instances(self, kind: str) -> bool:
        return kind in OF_INSTANCES and self._population.store.has_instances and self._question.score is None

    def _parameters(self, kind: str, of: str) -> dict[str, Any]:
        asked = self._question
        parameters: dict[str, Any] = {
            "kind": kind,
            "finder": VERSION if kind in KINDS else _source(finder(kind)),
            "of": of,
            "score": asked.score,
            "label": asked.label,
            "space": asked.space,
        }
        if asked.among is not None:
            parameters["rows"] = hashlib.sha256(asked.among.astype("<i8").tobytes()).hexdigest()
        if self.notice is not None:
            parameters["looked at"] = [LOOKED_AT, LEAST]
        return parameters

    def _cached(self, kind: str, of: str, chosen: Callable[[], Chosen | None]) -> _KeptFound:
        def computed() -> NDArray[np.uint8]:
            some = chosen()
            kept = _KeptFound((), "") if some is None else _looked_for(kind, some)
            return np.frombuffer(msgspec.json.encode(kept), np.uint8)

        content = cached(self._population.store, "insights", VERSION, self._parameters(kind, of), computed)
        return msgspec.json.decode(content.tobytes(), type=_KeptFound)


def _source(finder: Finder) -> str:
    """What a package's finder is, so that another version of it is asked anew."""
    file = inspect.getsourcefile(finder)
    return "" if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _looked_for(kind: str, chosen: Chosen) -> _KeptFound:
    try:
        found = finder(kind)(chosen.samples)
    except Exception as error:
        if kind in KINDS:
            raise
        # Somebody else's finder must not take the other answers with it.
        return _KeptFound((), f"The finder failed: {type(error).__name__}: {error}")
    insights = sorted(found.insights, key=lambda each: -each.severity)
    kept = tuple(_kept(each, chosen, divided(each, chosen.samples)) for each in insights)
    if found.scores is None:
        return _KeptFound(kept, found.silent)
    scored = np.flatnonzero(np.isfinite(found.scores))
    return _KeptFound(kept, found.silent, chosen.rows[scored].tolist(), found.scores[scored].tolist())


def _kept(insight: Insight, chosen: Chosen, parts: Sequence[Insight] = ()) -> _Kept:
    samples, action = chosen.samples, insight.action
    # A finder of somebody's own may give numpy's numbers.
    return _Kept(
        insight.title,
        insight.explanation,
        float(min(max(insight.severity, 0), 1)),
        Action(int(action.label), int(action.acquire), action.do),
        chosen.rows[insight.members].tolist(),
        [_finite(score) for score in insight.scores.tolist()],
        int(insight.population),
        insight.state,
        None if samples.space is None else samples.space.name,
        {name: _finite(value) for name, value in insight.baseline.items()},
        {name: _finite(value) for name, value in insight.inside.items()},
        {name: value if isinstance(value, str) else _finite(value) for name, value in insight.statistics.items()},
        insight.tests,
        _apart(insight, samples),
        chosen.of_instances,
        tuple(_kept(part, chosen) for part in parts),
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _apart(insight: Insight, samples: Samples) -> tuple[Difference, ...]:
    """What sets the members apart from the rest of their state."""
    groups = np.full(len(samples), -2)
    if insight.differences_from is not None:
        groups[insight.differences_from] = -1
    else:
        groups[samples.in_state(insight.state) if insight.state is not None else slice(None)] = -1
    groups[insight.members] = 0
    looked_at = groups > -2
    if not (groups == 0).any() or not (groups == -1).any():
        return ()
    columns = {name: each.of(looked_at) for name, each in samples.columns.items()}
    return tuple(differences(columns, groups[looked_at])[0])


def _told(
    population: "Population", question: Question, found: Mapping[str, list[_KeptFound]], notices: tuple[str, ...]
) -> Insights:
    ids, states = population.ids, population.states
    kept = [(kind, each) for kind, answers in found.items() for answer in answers for each in answer.insights]
    instances: tuple[Sequence[str], Sequence[str]] = ((), ())
    if any(each.of_instances for _, each in kept):
        table = population.store.read_instances([INSTANCE_ID, STATE])
        instances = table[INSTANCE_ID].tolist(), table[STATE].tolist()
    kept.sort(key=lambda pair: -pair[1].severity)
    known = read_known(population.store.path)
    counts = dict.fromkeys(found, 0)
    told: list[FoundInsight] = []
    remembered: list[Known] = []

    def add(kind: str, name: str, parent: str | None, each: _Kept) -> None:
        names, of_states = instances if each.of_instances else (ids, states)
        members = [(of_states[row], names[row]) for row in each.rows]
        stable = stable_id(kind, members, known, [one.stable_id for one in remembered])
        remembered.append(Known(stable, kind, members))
        listed = members if question.members is None else members[: question.members]
        told.append(
            FoundInsight(
                name, kind, each.severity, each.title, each.explanation, each.action, each.state, each.space,
                each.population,
                tuple(Member(one, state, score) for (state, one), score in zip(listed, each.scores, strict=False)),
                len(members), each.baseline, each.inside, each.statistics, each.differences, each.tests, parent, stable,
                each.of_instances,
            )
        )  # fmt: skip

    for kind, each in kept:
        counts[kind] += 1
        name = f"{kind}-{counts[kind]}"
        add(kind, name, None, each)
        for number, part in enumerate(each.parts, 1):
            add(kind, f"{name}.{number}", name, part)
    asked = (question.among, question.score, question.label, question.space)
    if all(choice is None for choice in asked):  # of other questions the members are others
        write_known(population.store.path, known, remembered, list(found))
    silent = tuple(
        Silent(kind, reason)
        for kind, answers in found.items()
        if not counts[kind] and (reason := " ".join(answer.silent for answer in answers if answer.silent))
    )
    scores = {}
    for kind, answers in found.items():
        for answer in answers[:1]:
            if answer.scores:
                rows = answer.score_rows
                scores[kind] = Scores([ids[row] for row in rows], [states[row] for row in rows], answer.scores)
    return Insights(tuple(told), silent, scores, notices, population)
