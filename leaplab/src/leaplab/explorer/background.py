"""What takes the processor for long, in a process of low priority.

In a thread of the server it would hold the interpreter's lock, and every click would wait for it. The process is
`python -m leaplab.explorer.background RUN`, and reads what to compute as a line of JSON. It leaves its answer where
`leaplab.population.cached` looks for it, and tells in lines of JSON how far it is; what could not be written beside the
run follows as raw arrays. It ends with the server, whose end closes its standard input.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.explorer.planning import QUESTIONS
from leaplab.population.cached import keep_in_memory, kept_in_memory
from leaplab.population.insights import Question, insights_of
from leaplab.population.population import Population, open_population
from leaplab.protocol.script_failure import how_ended

NICENESS = 10
INSIGHTS, MAP, PLAN = "insights", "map", "plan"
REFUSALS: dict[str, type[LeaplabError]] = {each.__name__: each for each in (LeaplabError, MissingError, QuestionError)}
Tell = Callable[[str, int, int], None]
"""What is done now, how many steps are done, and of how many."""


class GoneError(Exception):
    """Nobody waits for the answer any more."""


class Background:
    """Processes that compute for a server.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._running: dict[subprocess.Popen[bytes], threading.Event | None] = {}
        self._lock = threading.Lock()
        self._closed = False

    def compute(self, what: str, *question: str, tell: Tell, gone: threading.Event | None = None) -> None:
        """Have it computed; then `leaplab.population.cached` has it.

        Args:
            what: `MAP` with a space and a method, `INSIGHTS`, or `PLAN` with the name of a question and its JSON.
            question: the rest of that.
            tell: is told how far it is.
            gone: set when nobody waits any more, see `leave`.

        Raises:
            LeaplabError: it cannot be computed, or the process was ended.
            GoneError: nobody waited for it.
        """
        with self._lock:
            if self._closed:
                raise LeaplabError("The explorer has ended.")
            if gone is not None and gone.is_set():
                raise GoneError
            command = [sys.executable, "-m", __name__, str(self._population.store.path)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
            self._running[process] = gone
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):  # it has ended, which is told below
                process.stdin.write(json.dumps([what, *question]).encode() + b"\n")
                process.stdin.flush()
            is_whole = _listened(process.stdout, tell)
        finally:
            with self._lock:
                del self._running[process]
            process.kill()
            code = process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
        if not is_whole and gone is not None and gone.is_set():
            raise GoneError
        if not is_whole:
            raise LeaplabError(
                f"The process that computes the {what} {how_ended(code)}; the server's own output may say why."
            )

    def leave(self, gone: threading.Event) -> None:
        """Nobody waits any more for what was asked with this event: its process ends."""
        gone.set()
        with self._lock:
            for process, each in self._running.items():
                if each is gone:
                    _end(process)

    def open(self) -> None:
        """Let some be started, again after a `close`."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """End all of them, and let none be started."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _listened(pipe: IO[bytes], tell: Tell) -> bool:
    """Whether the process said that it was done.

    Raises:
        LeaplabError: it said that it cannot be.
    """
    for line in pipe:
        said = json.loads(line)
        match said["is"]:
            case "step":
                tell(said["of"], said["done"], said["total"])
            case "array":
                content = BytesIO(pipe.read(said["bytes"]))
                keep_in_memory(Path(said["path"]), np.load(content, allow_pickle=False))
            case "failed":
                raise REFUSALS.get(said["error"], LeaplabError)(said["sentence"])
            case "done":
                return True
    return False


def _main(run: str) -> None:
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
    what, *question = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_server, daemon=True).start()
    # What libraries print must not get among what is told.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def say(kind: str, **said: Any) -> None:
        out.write(json.dumps({"is": kind, **said}).encode() + b"\n")
        out.flush()

    def step(of: str, done: int, total: int) -> None:
        say("step", of=of, done=done, total=total)

    try:
        population = open_population(Path(run))
        if what == INSIGHTS:
            insights_of(population, Question(members=None), step)
        elif what == PLAN:
            name, asked = question
            QUESTIONS[name].answer(population, QUESTIONS[name].asked.model_validate_json(asked))
        else:
            space, method = question
            population.map(space, method, lambda done, total: step(MAP, done, total))
    except LeaplabError as error:
        say("failed", error=type(error).__name__, sentence=str(error))
        return
    for path, array in kept_in_memory().items():
        written = BytesIO()
        np.save(written, array, allow_pickle=False)
        say("array", path=str(path), bytes=written.tell())
        out.write(written.getvalue())
    say("done")


def _end_with_server() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    _main(sys.argv[1])
