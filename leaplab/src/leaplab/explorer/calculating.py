"""Answers that take seconds to a minute: computed in a process of low priority, read here from what it leaves.

What an analysis computes is cached beside the run. So a question is answered from there, where it can be; otherwise the
process answers it first, which fills the cache. That ends when nobody waits for the answer any more. A run that is
only to be read has no cache beside it, and is computed with here, in a thread.
"""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.explorer.model import Model
from leaplab.explorer.planning import QUESTIONS, Table
from leaplab.population.cached import NotComputedError, only_read
from leaplab.population.population import Population, open_population

NICENESS = 5
"""The page's own requests come first."""
ENDING = 3.0
"""Seconds that the process gets to end."""
REFUSALS: dict[str, type[LeaplabError]] = {each.__name__: each for each in (LeaplabError, MissingError, QuestionError)}


class GoneError(Exception):
    """Nobody waits for the answer any more."""


class _Refusal(Struct):
    """Why there is no answer: an error by its name. Without a name there was one."""

    error: str | None = None
    detail: str = ""


class Calculator:
    """Answers questions of `leaplab.explorer.planning`, one at a time where they have to be computed.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._turn = threading.Lock()
        self._changing = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._waited_for: threading.Event | None = None

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
                self._compute(name, asked, gone)
            return QUESTIONS[name].answer(self._population, asked)

    def leave(self, gone: threading.Event) -> None:
        """Nobody waits for this answer any more: what computes it ends."""
        gone.set()
        with self._changing:
            if self._waited_for is gone and self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            _exit_code(process)

    def _read(self, name: str, asked: Model) -> Table:
        with only_read():
            return QUESTIONS[name].answer(self._population, asked)

    def _compute(self, name: str, asked: Model, gone: threading.Event) -> None:
        if not os.access(self._population.store.path, os.W_OK):
            return
        with self._changing:
            if gone.is_set():
                raise GoneError
            if self._process is None:
                self._process = _started(self._population.store.path)
            self._waited_for, process = gone, self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode([name, asked.model_dump_json()]) + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:  # it has ended meanwhile
            line = b""
        with self._changing:
            self._waited_for = None
            if not line:
                self._process = None
        if not line:
            code = _exit_code(process)
            if gone.is_set():
                raise GoneError
            raise LeaplabError(
                f"What was to answer this has ended by itself (exit code {code}), maybe for want of memory; ask again,"
                " or ask the command."
            )
        refusal = msgspec.json.decode(line, type=_Refusal)
        if refusal.error is not None:
            raise REFUSALS.get(refusal.error, LeaplabError)(refusal.detail)


def _started(path: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "leaplab.explorer.calculating", str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _exit_code(process: "subprocess.Popen[bytes]") -> int:
    """Of a process that has ended, or is about to."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not written yet reaches nobody
                pipe.close()
    return process.wait(timeout=ENDING)


def _work(path: Path) -> None:
    """Answer a question a line until there are no more; what it finds out stays beside the run."""
    os.nice(NICENESS)
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # nothing else may come between
    population = open_population(path)
    for line in sys.stdin.buffer:
        name, text = msgspec.json.decode(line, type=tuple[str, str])
        question = QUESTIONS[name]
        refusal = _Refusal()
        try:
            question.answer(population, question.asked.model_validate_json(text))
        except LeaplabError as error:
            refusal = _Refusal(type(error).__name__, str(error))
        answers.write(msgspec.json.encode(refusal) + b"\n")
        answers.flush()


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
