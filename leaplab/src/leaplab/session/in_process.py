"""An integration in this process, for a debugger: the one place of the lab that imports the integration's side."""

import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from leaplab.environments.own import own_interpreter
from leaplab.protocol.binding import BindOrder
from leaplab.protocol.operations import Answer, Asked, Operation, Stream


class InProcessSession:
    """See `leaplab.session.opening.Session`."""

    def __init__(self, order: BindOrder) -> None:
        sys.path.insert(0, order.root)
        from leaplab.worker.integration import Integration
        from leaplab.worker.operations import FUNCTIONS

        self.interpreter = own_interpreter()
        self._functions = FUNCTIONS
        self._integration = Integration(order)

    def call(
        self, operation: Operation[Asked, Answer], argument: Any = None, *, time_limit: float | None = None
    ) -> Answer:
        """The operation's answer. There is no time limit: a person may be at a breakpoint."""
        answer: Answer = self._functions[operation.name](self._integration, argument)
        return answer

    def stream(
        self, operation: Stream[Asked, Answer], argument: Asked, *, time_limit: float | None = None
    ) -> Iterator[Answer]:
        """The operation's answers, without a time limit."""
        yield from self._functions[operation.name](self._integration, argument)

    def notices(self) -> list[str]:
        """What leaplab leaves out; what the integration printed went to the terminal."""
        return list(self._integration.notices())

    def close(self) -> None:
        """Nothing to end."""

    def kill(self) -> None:
        """Nothing: what runs in this process cannot be ended without it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
