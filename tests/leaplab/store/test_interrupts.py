import os
import signal
import threading
import time
from collections.abc import Iterator

import duckdb
import pytest

from leaplab.store.interrupts import interruptible

LONG = "SELECT sum(sqrt(range)) FROM range(3_000_000_000)"
SECONDS = 8
"""That it takes of a processor if nobody ends it."""


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Python's own handler, which a process that distributes tests may have replaced."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def press_ctrl_c(value: int) -> int:
    signal.raise_signal(signal.SIGINT)
    return value


def test_ctrl_c_ends_a_long_query(connection):
    begun = time.process_time()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt), interruptible(connection):
        connection.execute(LONG)
    assert time.process_time() - begun < SECONDS / 2


def test_ctrl_c_while_duckdb_is_in_python_is_no_error_of_duckdb(connection):
    connection.create_function("pressed", press_ctrl_c, ["BIGINT"], "BIGINT")

    with pytest.raises(KeyboardInterrupt), interruptible(connection):
        connection.execute("SELECT pressed(1)").fetchall()


def test_ctrl_c_takes_the_place_of_another_error(connection):
    connection.create_function("pressed", press_ctrl_c, ["BIGINT"], "BIGINT")

    with pytest.raises(KeyboardInterrupt), interruptible(connection):
        connection.execute("SELECT pressed(1) / 'no number'").fetchall()


def test_errors_stay_what_they_are(connection):
    with pytest.raises(duckdb.BinderException), interruptible(connection):
        connection.execute("SELECT nothing")


def test_a_handler_of_somebody_else_and_other_threads_are_left_alone(connection):
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    with interruptible(connection):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows: list[object] = []

    def ask() -> None:
        with interruptible(connection):
            rows.extend(connection.execute("SELECT 1").fetchall())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

    assert pressed == [signal.SIGINT]
    assert rows == [(1,)]
