"""Answers to the plan's questions: read from what was computed before, else computed first.

What an analysis computes is cached beside the run. So a question is answered from there, where it can be; otherwise a
process of low priority answers it first, which fills the cache. That ends when nobody waits for the answer any more. A
run that is only to be read has no cache beside it, and is computed with here, in a thread.
"""

import os
import threading

from leaplab.explorer.background import PLAN, Background
from leaplab.explorer.model import Model
from leaplab.explorer.planning import QUESTIONS, Table
from leaplab.population.cached import NotComputedError, only_read
from leaplab.population.population import Population


class Calculator:
    """Answers questions of `leaplab.explorer.planning`, one at a time where they have to be computed.

    Args:
        population: the run.
        background: where they are computed.
    """

    def __init__(self, population: Population, background: Background) -> None:
        self._population, self._background = population, background
        self._turn = threading.Lock()

    def answer(self, name: str, asked: Model, gone: threading.Event) -> Table:
        """The answer, which may take its time.

        Args:
            name: of the question, one of `QUESTIONS`.
            asked: the question.
            gone: set when nobody waits any more, see `leave`.

        Raises:
            LeaplabError: there is no answer.
            GoneError: nobody waited for it.
        """
        try:
            return self._read(name, asked)
        except NotComputedError:
            pass
        with self._turn:
            try:  # who came before may have asked the same
                return self._read(name, asked)
            except NotComputedError:
                if os.access(self._population.store.path, os.W_OK):
                    self._background.compute(PLAN, name, asked.model_dump_json(), tell=_untold, gone=gone)
            return QUESTIONS[name].answer(self._population, asked)

    def leave(self, gone: threading.Event) -> None:
        """Nobody waits for this answer any more: what computes it ends."""
        self._background.leave(gone)

    def _read(self, name: str, asked: Model) -> Table:
        with only_read():
            return QUESTIONS[name].answer(self._population, asked)


def _untold(_: str, done: int, total: int) -> None:
    """The plan's analyses do not tell how far they are."""
