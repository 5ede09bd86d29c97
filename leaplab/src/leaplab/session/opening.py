"""An integration to speak to: in a process of its own interpreter, or in this one for a debugger.

with open_session(find_project(path)) as session:
    description = session.call(DESCRIBE)
    for part in session.stream(EVALUATE, order):
        ...
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from leaplab.environments.choosing import choose_interpreter
from leaplab.environments.interpreter import Interpreter
from leaplab.project.locate import Project
from leaplab.project.wiring_file import own_wiring, read_wiring_file
from leaplab.protocol.binding import BindOrder
from leaplab.protocol.operations import Answer, Asked, Operation, Stream


class Session(Protocol):
    """A bound integration, to be asked for the operations of `leaplab.protocol.operations`.

    Attributes:
        interpreter: that it runs in.
    """

    interpreter: Interpreter

    def call(
        self, operation: Operation[Asked, Answer], argument: Asked = ..., *, time_limit: float | None = None
    ) -> Answer:
        """The operation's answer.

        Args:
            argument: what is asked; nothing for an operation that asks for nothing.
            time_limit: seconds after which the integration's process is ended.

        Raises:
            LeaplabError: the integration is at fault, or its process has ended.
            RuntimeError: leaplab is.
        """
        ...

    def stream(
        self, operation: Stream[Asked, Answer], argument: Asked, *, time_limit: float | None = None
    ) -> Iterator[Answer]:
        """The operation's answers, as they come. One that is left before its end leaves `close` alone.

        Args:
            time_limit: seconds that a function of the integration may take, for each sample that it is given.

        Raises:
            LeaplabError, RuntimeError: as `call` does.
        """
        ...

    def notices(self) -> list[str]:
        """What leaplab leaves out, and what the integration printed while it was bound, for the person who asked."""
        ...

    def close(self) -> None:
        """End it. A closed session answers no calls."""
        ...

    def kill(self) -> None:
        """End it in the middle of its work, also from another thread: a call that waits there raises a LeaplabError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_session(
    project: Project,
    model: Path | None = None,
    in_process: bool = False,
    wiring: Path | None = None,
    interpreter: Interpreter | None = None,
    memory: int | None = None,
    inference_threads: int | None = None,
    unwanted: threading.Event | None = None,
) -> Session:
    """Bind an integration.

    Args:
        project: where it lies.
        model: a model file to use instead of the integration's own.
        in_process: in this process, so that an IDE's breakpoints stop; only one integration a process.
        wiring: a wiring or mapping file, for an integration without an integration test; None takes its own mapping
            file, if it has one.
        interpreter: to run it in; None chooses one, see `choose_interpreter`.
        memory: bytes that its process may take; not in this process.
        inference_threads: that its model may use, see `BindOrder`.
        unwanted: ends the process while it is being bound, when another thread sets it.

    Raises:
        LeaplabError: there is no interpreter for it, it cannot be bound, or it is unwanted.
    """
    order = BindOrder(
        str(project.root),
        project.entry_file,
        None if model is None else str(model.expanduser().resolve()),
        own_wiring(project.root) if wiring is None else read_wiring_file(wiring),
        None if in_process else memory,
        inference_threads,
    )
    if in_process:
        from leaplab.session.in_process import InProcessSession

        return InProcessSession(order)
    from leaplab.session.child_process import ChildSession

    return ChildSession(order, interpreter or choose_interpreter(project.root), unwanted=unwanted)
