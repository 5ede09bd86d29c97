"""Simulations in several processes; sessions are made up here."""

import threading
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.protocol.operations import DESCRIBE
from leaplab.protocol.simulation import Simulated, SimulationOrder
from leaplab.session.opening import Session
from leaplab.tune.rendering import Renderer


@dataclass
class Made:
    """A session whose simulation tells its parameter, and fails at 13."""

    number: int
    asked: list[int] = field(default_factory=list)
    closed: bool = False
    together: Any = None

    def call(self, operation: Any, order: Any = None) -> Any:
        if operation is DESCRIBE:
            return None
        self.asked.append(order.parameters["x"])
        if self.together is not None:
            self.together.wait(timeout=10)
        if order.parameters["x"] == 13:
            raise LeaplabError("it fails at 13")
        return Simulated([str(order.parameters["x"])], np.zeros((1, 1), np.float32), f"{self.number}")

    def close(self) -> None:
        self.closed = True


def orders(*values: int) -> list[SimulationOrder]:
    return [SimulationOrder("s", {"x": value}, 1, 0) for value in values]


def renderer_of(made: Any) -> Renderer:
    return Renderer(cast("list[Session]", made), "model")


@pytest.mark.parametrize(("processes", "count"), [(1, 3), (2, 2), (2, 5), (3, 2), (3, 7)])
def test_answers_come_in_the_order_of_the_questions(processes, count):
    sessions = [Made(number) for number in range(processes)]
    found = renderer_of(sessions).simulate(orders(*range(count)))

    assert [each.ids for each in found] == [[str(number)] for number in range(count)]
    assert sorted(each for session in sessions for each in session.asked) == list(range(count))
    assert max(len(session.asked) for session in sessions) == -(-count // processes)


def test_processes_work_at_the_same_time():
    barrier = threading.Barrier(2)  # each waits for the other
    sessions = [Made(number, together=barrier) for number in range(2)]

    assert len(renderer_of(sessions).simulate(orders(1, 2))) == 2


def test_a_failure_ends_the_others():
    sessions = [Made(0), Made(1)]
    with pytest.raises(LeaplabError, match="it fails at 13"):
        renderer_of(sessions).simulate(orders(1, 13, 2, 3))
    assert [session.closed for session in sessions] == [True, True]


def test_a_simulation_is_repeated_in_another_process_where_there_is_one():
    with pytest.raises(LeaplabError, match="gives other samples the second time"):
        renderer_of([Made(0), Made(1)]).require_repeatable(orders(1)[0])
    one = Made(0)
    assert renderer_of([one]).require_repeatable(orders(1)[0]) == "0"
    assert one.asked == [1, 1]
