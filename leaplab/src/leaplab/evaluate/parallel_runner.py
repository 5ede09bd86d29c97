"""An evaluation by several workers, each a process of the integration, that take parts off one queue."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from leaplab.errors import LeaplabError
from leaplab.evaluate.local_runner import LocalRunner
from leaplab.evaluate.worker_count import Machine, choose, this_machine
from leaplab.protocol.plan import Part, Plan
from leaplab.protocol.results import PartResult

AT_ONCE = 4
"""Parts that a worker is given at once, at most, while many are left: between parts it encodes nothing ahead."""
LOOK = 0.1
"""Seconds after which a worker whose result nobody takes looks whether the evaluation has ended."""


@dataclass(frozen=True)
class _Missing:
    """A worker that could not be started."""

    error: LeaplabError


@dataclass(frozen=True)
class _Broken:
    """What ends the evaluation."""

    error: BaseException


class ParallelRunner:
    """Evaluates parts, as many at a time as there are workers.

    Args:
        first: worker, that is not ended with this runner.
        another: makes one more; it is started here, and ended.
        workers: how many; None starts with one, looks how it does on the first part, and adds those that pay.
        start_up: seconds that starting a worker takes.
        say: is told what a person should know.
        machine: that all run on.
    """

    def __init__(
        self,
        first: LocalRunner,
        another: Callable[[], LocalRunner],
        workers: int | None = None,
        start_up: float = 0.0,
        say: Callable[[str], None] = lambda _: None,
        machine: Callable[[], Machine] = this_machine,
    ) -> None:
        self._first, self._another, self._workers = first, another, workers
        self._start_up, self._say, self._machine = start_up, say, machine
        self._others: list[LocalRunner] = []
        self._threads: dict[LocalRunner, threading.Thread] = {}
        self._ended = threading.Event()

    def run(self, plan: Plan, parts: Sequence[Part], only: Sequence[str] = ()) -> Iterator[PartResult]:
        """One result a part, in the order in which they come.

        Args:
            only: groups of columns that are computed, see `EvaluateOrder`.

        Raises:
            LeaplabError: see `LocalRunner.run`; a worker but the first that cannot be started is told, and missed.
        """
        left = deque(parts)
        if self._workers is None and len(left) > 1:
            part = left.popleft()
            (result,) = self._first.run(plan, (part,), only)
            yield result
            if result.effort is not None:
                sizes = [each.stop - each.start for each in left]
                choice = choose(result.effort, part.stop - part.start, sizes, self._start_up, self._machine())
                self._workers = choice.workers
                self._say(choice.reason)
        workers = min(self._workers or 1, len(left))
        if workers <= 1:
            yield from self._first.run(plan, tuple(left), only)
        else:
            yield from self._together(workers, plan, left, only)

    def close(self) -> None:
        """End all workers but the first, and that one's process where it is still at work."""
        self._ended.set()
        for runner, thread in self._threads.items():
            if thread.is_alive():
                runner.kill()
        for thread in self._threads.values():
            thread.join()
        for runner in self._others:
            runner.close()

    def _together(self, workers: int, plan: Plan, left: deque[Part], only: Sequence[str]) -> Iterator[PartResult]:
        results: queue.Queue[PartResult | _Missing | _Broken] = queue.Queue(workers)
        taking = threading.Lock()
        awaited = len(left)

        def taken() -> tuple[Part, ...]:
            with taking:
                count = min(len(left), max(1, min(AT_ONCE, len(left) // (2 * workers))))
                return tuple(left.popleft() for _ in range(count))

        def tell(found: PartResult | _Missing | _Broken) -> None:
            while not self._ended.is_set():
                try:
                    results.put(found, timeout=LOOK)
                    return
                except queue.Full:
                    continue

        def work(runner: LocalRunner, before: threading.Thread | None) -> None:
            if before is not None:
                before.join()
            try:
                runner.start()
            except LeaplabError as error:
                tell(_Broken(error) if runner is self._first else _Missing(error))
                return
            except BaseException as error:
                tell(_Broken(error))
                return
            try:
                while not self._ended.is_set() and (parts := taken()):
                    for result in runner.run(plan, parts, only):
                        tell(result)
            except BaseException as error:
                tell(_Broken(error))

        while len(self._others) < workers - 1:
            self._others.append(self._another())
        for runner in (self._first, *self._others[: workers - 1]):
            arguments = runner, self._threads.get(runner)
            self._threads[runner] = threading.Thread(target=work, args=arguments, name="worker", daemon=True)
            self._threads[runner].start()
        while awaited:
            found = results.get()
            if isinstance(found, _Broken):
                raise found.error
            if isinstance(found, _Missing):
                self._say(f"A worker could not be started, and the others go on: {found.error}")
            else:
                awaited -= 1
                yield found
        self._threads[self._first].join()
