"""Several workers at one queue of parts: in this process, by sessions that do nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leaplab.errors import DeadIntegrationError, LeaplabError
from leaplab.evaluate.local_runner import LocalRunner
from leaplab.evaluate.parallel_runner import ParallelRunner
from leaplab.evaluate.worker_count import Machine
from leaplab.protocol.model import LoadOrder
from leaplab.protocol.operations import EvaluateOrder
from leaplab.protocol.plan import Part, Plan
from leaplab.protocol.results import Effort, PartResult
from leaplab.protocol.whereabouts import Whereabouts

BUSY = Effort(5.0, 5.0, 4.0, 1.0, 1)
PATIENCE = 10.0


class Idle:
    """A session that hands parts back; `meet` is called before each."""

    interpreter: Any = None

    def __init__(self, meet: Callable[["Idle", Part], None] = lambda session, part: None) -> None:
        self.meet, self.asked, self.open = meet, list[list[int]](), True
        self.killed, self.lag, self.busy = threading.Event(), 0.0, False

    def call(self, *_: Any, **__: Any) -> Any:
        return None

    def stream(self, _: Any, order: EvaluateOrder, **__: Any) -> Iterator[PartResult]:
        assert not self.busy, "a stream was begun in the middle of another"
        self.busy = True
        self.asked.append([part.number for part in order.parts])
        for part in order.parts:
            self.meet(self, part)
            yield PartResult(part, effort=BUSY)
        time.sleep(self.lag)  # it says that there is no more
        self.busy = False

    def waits(self, event: threading.Event) -> None:
        end = time.monotonic() + PATIENCE
        while not event.is_set():
            if self.killed.is_set():
                raise DeadIntegrationError("It was killed.", "was killed")
            assert time.monotonic() < end
            time.sleep(0.005)

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        self.open = False


def parts_of(count: int) -> tuple[Part, ...]:
    return tuple(Part(number, "training", 10 * number, 10 * number + 10) for number in range(count))


def plan_of(parts: tuple[Part, ...]) -> Plan:
    return Plan({"training": 10 * len(parts)}, parts, "")


def many(
    sessions: list[Any], workers: int | None, bind: Callable[[threading.Event], Any] | None = None, **options: Any
) -> ParallelRunner:
    """A runner whose first worker has the first session, and the others the following ones, as they are bound."""
    first, *others = sessions
    left = iter(others)

    def another() -> LocalRunner:
        return LocalRunner(bind or (lambda _: next(left)), LoadOrder())

    return ParallelRunner(LocalRunner(another, LoadOrder(), first), another, workers, **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    end = time.monotonic() + PATIENCE
    while [thread for thread in threading.enumerate() if thread.name == "worker"]:
        assert time.monotonic() < end, threading.enumerate()
        time.sleep(0.01)


def numbers(results: Any) -> list[int]:
    return [result.part.number for result in results]


def test_all_work_at_once_and_each_part_comes_once() -> None:
    together = threading.Barrier(3)
    seen: set[Idle] = set()

    def meet(session: Idle, _: Part) -> None:
        if session not in seen:
            seen.add(session)
            together.wait(PATIENCE)  # breaks unless three work at the same time

    sessions, parts = [Idle(meet) for _ in range(3)], parts_of(20)
    runner = many(sessions, 3)

    assert sorted(numbers(runner.run(plan_of(parts), parts))) == list(range(20))
    runner.close()
    assert all(session.asked for session in sessions)
    assert [session.open for session in sessions] == [True, False, False]  # the first is not this one's to close


def test_a_slow_worker_holds_up_its_own_parts_alone() -> None:
    rest = threading.Event()

    def meet(session: Idle, part: Part) -> None:
        if session is slow:
            session.waits(rest)

    slow, quick = Idle(meet), Idle(meet)
    runner, parts = many([slow, quick], 2), parts_of(12)
    results = runner.run(plan_of(parts), parts)
    early = [next(results).part.number for _ in range(9)]
    assert slow.asked[0][0] not in early
    rest.set()
    assert sorted(early + numbers(results)) == list(range(12))
    runner.close()


def test_no_more_workers_than_parts_are_started() -> None:
    bound: list[Idle] = []

    def bind(_: threading.Event) -> Idle:
        bound.append(Idle())
        return bound[-1]

    runner, parts = many([Idle()], 9, bind), parts_of(2)
    assert sorted(numbers(runner.run(plan_of(parts), parts))) == [0, 1]
    runner.close()
    assert len(bound) <= 1


def test_what_one_fails_on_ends_all_at_once() -> None:
    forever = threading.Event()

    def fail(_: Idle, part: Part) -> None:
        raise LeaplabError(f"Part {part.number} is wrong.")

    stuck, failing = Idle(lambda session, _: session.waits(forever)), Idle(fail)
    runner, parts = many([stuck, failing], 2), parts_of(9)
    with pytest.raises(LeaplabError, match=r"Part \d is wrong"):
        list(runner.run(plan_of(parts), parts))
    begun = time.monotonic()
    runner.close()
    assert time.monotonic() - begun < 5
    assert stuck.killed.is_set()
    assert not failing.open


def test_who_stops_listening_ends_all() -> None:
    sessions, parts = [Idle(), Idle()], parts_of(500)
    runner = many(sessions, 2)
    for result in runner.run(plan_of(parts), parts):
        if result.part.number > 10:
            break
    runner.close()
    done = sum(len(asked) for session in sessions for asked in session.asked)
    assert done < 60  # results are not made far ahead of who takes them
    assert not sessions[1].open


def test_a_worker_that_cannot_be_started_is_told_and_missed() -> None:
    said: list[str] = []
    told = threading.Event()

    def bind(_: threading.Event) -> Idle:
        raise LeaplabError("The port is taken.")

    def say(sentence: str) -> None:
        said.append(sentence)
        told.set()

    runner, parts = many([Idle(lambda session, _: session.waits(told))], 2, bind, say=say), parts_of(5)
    assert sorted(numbers(runner.run(plan_of(parts), parts))) == list(range(5))
    runner.close()
    assert said == ["A worker could not be started, and the others go on: The port is taken."]


def test_nobody_waits_for_a_worker_that_does_not_come() -> None:
    late = Idle()

    def bind(unwanted: threading.Event) -> Idle:
        assert unwanted.wait(PATIENCE)
        return late

    runner, parts = many([Idle()], 2, bind), parts_of(30)
    begun = time.monotonic()
    assert sorted(numbers(runner.run(plan_of(parts), parts))) == list(range(30))
    runner.close()
    assert time.monotonic() - begun < 5
    assert late.killed.is_set()
    assert not late.open
    assert late.asked == []


def test_first_part_decides_how_many_there_are() -> None:
    said: list[str] = []
    sessions, parts = [Idle(), Idle(), Idle()], parts_of(50)
    runner = many(sessions, None, start_up=1.0, say=said.append, machine=lambda: Machine(2))
    assert sorted(numbers(runner.run(plan_of(parts), parts))) == list(range(50))
    runner.close()

    assert said == ["2 workers, as encoding and scoring take longer than the model (400 ms and 100 ms a sample)."]
    assert sessions[0].asked[0] == [0]
    assert not sessions[1].open
    assert sessions[2].asked == []


def test_one_that_does_not_pay_leaves_all_to_the_first() -> None:
    said: list[str] = []
    session, parts = Idle(), parts_of(50)
    runner = many([session], None, start_up=1.0, say=said.append, machine=lambda: Machine(1))
    assert numbers(runner.run(plan_of(parts), parts)) == list(range(50))
    runner.close()

    assert session.asked == [[0], list(range(1, 50))]  # nothing is lost between parts
    assert said == ["1 worker, as it uses 1.0 of 1 cores by itself."]


def test_they_stay_for_what_comes_next() -> None:
    bound: list[Idle] = []

    def bind(_: threading.Event) -> Idle:
        bound.append(Idle())
        bound[-1].lag = 0.4
        return bound[-1]

    first = Idle(lambda *_: time.sleep(0.02))
    runner, parts = many([first], 2, bind), parts_of(8)
    assert sorted(numbers(runner.run(plan_of(parts), parts[:4]))) == [0, 1, 2, 3]
    assert sorted(numbers(runner.run(plan_of(parts), parts[4:]))) == [4, 5, 6, 7]
    runner.close()
    assert len(bound) == 1


def test_a_worker_whose_process_dies_goes_on_in_another_one() -> None:
    died: list[Part] = []

    def die(_: Idle, part: Part) -> None:
        if part.number == 3 and not died:
            died.append(part)
            place = Whereabouts(0, 1, part.number, 4, 5, "input 'image'", "34")
            raise DeadIntegrationError("It died.", "was ended by SIGSEGV", [place])

    opened: list[Idle] = []

    def bind(_: threading.Event) -> Idle:
        opened.append(Idle(die))
        return opened[-1]

    first = Idle(die)

    def worker(session: Any = None) -> LocalRunner:
        return LocalRunner(bind, LoadOrder(), session, skip=True)  # type: ignore[arg-type]

    leading = worker(first)
    runner, parts = ParallelRunner(leading, worker, 2), parts_of(12)
    assert sorted(numbers(runner.run(plan_of(parts), parts))) == list(range(12))
    runner.close()
    leading.close()
    assert len(died) == 1
    assert len(opened) == 2  # the second worker, and the one in the place of who died
    assert [session.open for session in (first, *opened)] == [True, False, False]
