"""The asking side: an integration in a child process, or in this one for a debugger.

with open_session(find_project(path)) as session:
    description = session.call(describe)
    for part in session.stream(evaluate, plan):
        ...
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from leaplab.errors import LeaplabError
from leaplab.project.locate import Project
from leaplab.protocol.description import Description
from leaplab.worker.messages import Call, Done, Failed, Item

T = TypeVar("T")
PACKAGE_HOME = Path(__file__).resolve().parents[2]
LAST_LINES = 5
MAX_NOTICES = 5


class Session(Protocol):
    """Runs functions beside a bound integration: `function(integration, *arguments)`."""

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """The function's result."""
        ...

    def stream(self, function: Callable[..., Iterator[T]], *arguments: Any) -> Iterator[T]:
        """The items of a generator function, as they come. One that is left before its end leaves `close` alone."""
        ...

    def notices(self) -> list[str]:
        """What the integration printed while it was bound, for the person who asked."""
        ...

    def close(self) -> None:
        """End it. A closed session answers no calls."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_session(
    project: Project, model: Path | None = None, in_process: bool = False, wiring: Path | None = None
) -> Session:
    """Bind an integration.

    Args:
        project: where it lies.
        model: a model file to use instead of the integration's own.
        in_process: in this process, so that an IDE's breakpoints stop; only one integration a process.
        wiring: a wiring file, for an integration without an integration test.

    Raises:
        LeaplabError: the integration cannot be bound.
    """
    model, wiring = (file.expanduser().resolve() if file is not None else None for file in (model, wiring))
    return (InProcessSession if in_process else ChildSession)(project, model, wiring)


def describe(integration: Any) -> Description:
    """What the integration declares: for `session.call(describe)`."""
    description: Description = integration.description
    return description


class _Closing:
    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class InProcessSession(_Closing):
    """The integration in this process."""

    def __init__(self, project: Project, model: Path | None, wiring: Path | None) -> None:
        sys.path.insert(0, str(project.root))
        from leaplab.worker.integration import Integration

        self._integration = Integration(project, model, wiring)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        return function(self._integration, *arguments)

    def stream(self, function: Callable[..., Iterator[T]], *arguments: Any) -> Iterator[T]:
        yield from function(self._integration, *arguments)

    def notices(self) -> list[str]:
        return []  # they went to the terminal

    def close(self) -> None:
        """Nothing to end."""


class ChildSession(_Closing):
    """The integration in a child process, which ends with the session.

    What the integration prints goes to a file, never into the conversation; its last lines are shown when the process
    dies.
    """

    def __init__(self, project: Project, model: Path | None, wiring: Path | None) -> None:
        self._output = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed with the session
        self._connection, theirs = Pipe()
        command = [
            *(sys.executable, "-P", str(Path(__file__).parents[1] / "worker" / "start.py")),
            *(str(theirs.fileno()), str(PACKAGE_HOME), str(project.root), project.entry_file),
            *(str(file or "") for file in (model, wiring)),
        ]
        self._process = subprocess.Popen(
            command,
            cwd=project.root,
            env={"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, "TL_DISABLE_ANALYTICS": "true"},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            # Ctrl-C is for the parent alone, which then closes the pipe: no traceback of the child on the terminal.
            start_new_session=True,
        )
        theirs.close()
        self._streaming = False
        try:
            self._answer()
        except BaseException:
            self.close()
            raise
        self._notices = self.output().splitlines()[:MAX_NOTICES]

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        self._send(Call(function, arguments))
        result: T = self._answer()
        return result

    def stream(self, function: Callable[..., Iterator[T]], *arguments: Any) -> Iterator[T]:
        self._send(Call(function, arguments))
        self._streaming = True
        while isinstance(message := self._receive(), Item):
            yield message.value
        self._streaming = False

    def close(self) -> None:
        self._connection.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def notices(self) -> list[str]:
        return [line for line in self._notices if line.strip()]

    def output(self) -> str:
        """What the integration has printed so far, and its warnings."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")

    def _send(self, call: Call) -> None:
        assert not self._streaming, "a stream was left before its end: its items would be taken for the answer"
        try:
            self._connection.send(call)
        except BrokenPipeError:
            raise self._death() from None

    def _answer(self) -> Any:
        message = self._receive()
        assert isinstance(message, Done), f"expected an answer, got {message}"
        return message.value

    def _receive(self) -> Item | Done:
        try:
            message = self._connection.recv()
        except (EOFError, ConnectionResetError):
            self._streaming = False
            raise self._death() from None
        if isinstance(message, Failed):
            self._streaming = False
            if message.mendable:
                raise LeaplabError(message.message)
            raise RuntimeError(f"{message.message}\n\n{message.traceback}")
        assert isinstance(message, Item | Done), f"unknown message {message}"
        return message

    def _death(self) -> LeaplabError:
        code = self._process.wait()
        ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        lines = [line for line in self.output().splitlines() if line.strip()][-LAST_LINES:]
        said = f" It last printed: {' | '.join(lines)}" if lines else " It printed nothing."
        return LeaplabError(f"The integration's process {ended} in the middle of its work.{said}")
