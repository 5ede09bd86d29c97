"""What is wrong, for the page: the insights of the run, looked for once, in the background."""

import math
import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

from leaplab.analysis.differences import Difference
from leaplab.errors import LeaplabError, MissingError
from leaplab.explorer.background import INSIGHTS, Background
from leaplab.explorer.model import Progress
from leaplab.explorer.progress import Board
from leaplab.population.insights import FoundInsight, Insights, Question, are_cached, insights_of
from leaplab.population.members import MemberRows
from leaplab.population.population import Population

SHOWN_DIFFERENCES = 6
"""Columns that are told of what sets an insight's members apart."""


class Findings:
    """The insights of a run. The first who asks waits for them; what is cached beside the run is there at once.

    Args:
        population: the run.
        background: where they are looked for.
        board: where it is told how far that is.
    """

    def __init__(self, population: Population, background: Background, board: Board) -> None:
        self._population = population
        self._background, self._board = background, board
        self._lock = threading.Lock()

    def told(self) -> dict[str, Any]:
        """All insights, the most severe first, and the kinds of which there is none, see `leaplab.explorer.model`."""
        answer = self._looked_for()
        return {
            "insights": [card(each) for each in answer.insights],
            "silent": [{"kind": each.kind, "reason": each.reason} for each in answer.silent],
        }

    def rows(self, name: str) -> bytes:
        """The rows of an insight's members, of objects those of their samples: four bytes each, little endian.

        Raises:
            MissingError: there is no insight of that id.
        """
        for each in self._looked_for().insights:
            if each.id == name:
                return self._members.of(each).astype("<u4").tobytes()
        raise MissingError(f"This run has no insight '{name}'.")

    def _looked_for(self) -> Insights:
        with self._lock:
            return self._answer

    @cached_property
    def _answer(self) -> Insights:
        question = Question(members=None)
        if not are_cached(self._population, question):
            self._board.tell(INSIGHTS, Progress(what="insights", state="computing"))
            try:
                self._background.compute(INSIGHTS, tell=self._tell)
            except LeaplabError as error:
                self._board.tell(INSIGHTS, Progress(what="insights", state="failed", detail=str(error)))
                raise
            self._board.tell(INSIGHTS, Progress(what="insights", state="ready"))
        return insights_of(self._population, question)

    def _tell(self, kind: str, done: int, total: int) -> None:
        self._board.tell(INSIGHTS, Progress(what="insights", state="computing", of=kind, done=done, total=total))

    @cached_property
    def _members(self) -> MemberRows:
        return MemberRows(self._population)


def card(insight: FoundInsight) -> dict[str, Any]:
    """An insight as the page shows it, see `leaplab.explorer.model.Insight`."""
    fields = ("id", "kind", "severity", "title", "explanation", "state", "parent", "stable_id")
    told = {field: getattr(insight, field) for field in fields}
    apart = [asdict(each) for each in by_column(insight.differences)[:SHOWN_DIFFERENCES]]
    return {**told, "count": insight.member_count, "to_do": insight.action.do, "differences": apart}


def by_column(differences: Sequence[Difference]) -> list[Difference]:
    """The strongest of each column; of equally strong categories the one that the members have more of."""
    strongest: dict[str, Difference] = {}
    for each in differences:
        kept = strongest.setdefault(each.column, each)
        if kept.effect < 0 < each.effect and math.isclose(-kept.effect, each.effect):
            strongest[each.column] = each
    return list(strongest.values())
