"""An evaluation by a pool of Ray actors, on one machine or on a cluster."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.evaluate.keeping import WrittenPart
from leaplab.evaluate.ray_actor import ActorOrder, Evaluator, Told
from leaplab.protocol.plan import Part, Plan

TRIES = 3
"""How often a part is tried at most, where whoever evaluates it is lost: it may be what they die of."""
LOOK = 1.0
"""Seconds after which is looked whether actors wait for room in vain."""
PATIENCE = 30.0
"""Seconds that an actor waits for room before that is told."""
FAREWELL = 10.0
"""Seconds that actors get to end in good order."""


@dataclass(frozen=True)
class _Errand:
    """What an actor is at.

    Attributes:
        part: None while it starts.
    """

    actor: Any
    part: Part | None
    since: float


class RayRunner:
    """Evaluates parts by actors, each of which owns a process of the integration and writes the parts that it is given.

    An actor that is lost, with its node or alone, and one whose integration's process has died, is replaced; its part
    is tried again.

    Args:
        order: for each actor.
        workers: actors.
        processors: that each reserves.
        say: is told what a person should know.
    """

    def __init__(
        self, order: ActorOrder, workers: int, processors: float, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._order, self._workers, self._say = order, workers, say
        self._processors = processors
        self._errands: dict[Any, _Errand] = {}
        self._idle: list[Any] = []
        self._lost: Counter[int | None] = Counter()
        self._told_of_room = False

    def run(self, plan: Plan, parts: Sequence[Part], only: Sequence[str] = ()) -> Iterator[WrittenPart]:
        """One result a part, in the order in which they come.

        Args:
            plan: that of the actors' order.
            only: groups of columns that are computed, see `EvaluateOrder`.

        Raises:
            LeaplabError: as `LocalRunner.run`; no actor can be started; or each that had a certain part was lost.
        """
        assert plan == self._order.plan, "actors are started with their plan"
        left = deque(parts)
        while left or any(errand.part is not None for errand in self._errands.values()):
            while self._idle and left:
                actor, part = self._idle.pop(), left.popleft()
                self._send(actor, part, actor.evaluate.remote(part, tuple(only)))
            at_work = len(self._errands) + len(self._idle)
            for _ in range(min(self._workers, len(left) + at_work) - at_work):
                self._add()
            for reference, errand in self._ready():
                told = self._told(reference, errand, left)
                if told is not None and errand.part is not None:
                    yield WrittenPart(errand.part, told.entry)

    def close(self) -> None:
        """End the actors and their integration's processes, in the middle of a part too."""
        import ray

        with suppress(ray.exceptions.RayError):
            ended = [actor.close.remote() for actor in self._idle]
            ray.wait(ended, num_returns=len(ended), timeout=FAREWELL) if ended else None
        for actor in (*self._idle, *(errand.actor for errand in self._errands.values())):
            _end(actor)
        self._idle, self._errands = [], {}

    def _add(self) -> None:
        import ray

        # Nothing is restarted by Ray itself, which could not tell a part that actors die of.
        made = ray.remote(Evaluator).options(num_cpus=self._processors, max_restarts=0, max_task_retries=0)
        actor = made.remote(self._order)
        self._send(actor, None, actor.start.remote())

    def _send(self, actor: Any, part: Part | None, reference: Any) -> None:
        self._errands[reference] = _Errand(actor, part, monotonic())

    def _ready(self) -> list[tuple[Any, _Errand]]:
        import ray

        ready, _ = ray.wait(list(self._errands), num_returns=1, timeout=LOOK)
        waiting = [e for e in self._errands.values() if e.part is None and monotonic() - e.since > PATIENCE]
        if waiting and not self._told_of_room:
            self._told_of_room = True
            self._say(
                f"{len(waiting)} of {self._workers} workers have not started yet; the cluster may have no room for them"
                f" ({self._processors:g} cores each)."
            )
        return [(reference, self._errands.pop(reference)) for reference in ready]

    def _told(self, reference: Any, errand: _Errand, left: deque[Part]) -> Told | None:
        """What an actor says, which waits for its next part then; None where it was lost, or could not start.

        Raises:
            LeaplabError: see `run`.
        """
        import ray

        try:
            told: Told = ray.get(reference)
        except ray.exceptions.RayTaskError:  # leaplab is at fault
            raise
        except ray.exceptions.RayError as error:
            self._replace(errand, left, str(error).splitlines()[0])
            return None
        if told.dead:
            self._replace(errand, left, f"{told.error}")
            return None
        if told.error is not None and errand.part is not None:
            raise LeaplabError(told.error)
        if told.error is not None:
            _end(errand.actor)
            self._workers -= 1
            if not self._workers:
                raise LeaplabError(told.error)
            self._say(f"A worker could not be started, and the others go on: {told.error}")
            return None
        self._lost[None] = 0
        self._idle.append(errand.actor)
        return told

    def _replace(self, errand: _Errand, left: deque[Part], why: str) -> None:
        """Give the part of an actor that is lost back; another takes it.

        Raises:
            LeaplabError: it has been tried often enough, or no actor stays to the end of its start.
        """
        _end(errand.actor)
        tried = None if errand.part is None else errand.part.number
        self._lost[tried] += 1
        if errand.part is None:
            if self._lost[tried] == TRIES * self._workers:
                raise LeaplabError(f"No worker comes to the end of its start: {why}")
        elif self._lost[tried] == TRIES:
            raise LeaplabError(f"{why} That was part {tried}, and it was tried {TRIES} times.")
        else:
            left.appendleft(errand.part)
        self._say(f"A worker was lost, and another one takes its place: {why}")


def _end(actor: Any) -> None:
    import ray

    with suppress(ray.exceptions.RayError):
        ray.kill(actor)  # its integration's process ends with it
