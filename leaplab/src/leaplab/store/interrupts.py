"""Ctrl-C while DuckDB works."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Within it, Ctrl-C ends the connection's query, and is raised once DuckDB has given the thread back.

    A KeyboardInterrupt that is raised while DuckDB runs comes out of it as the error of whatever it was about: of a
    query, of a conversion, of a call into Python. So none is raised until it is done. In another thread than the main
    one, and where somebody else handles the signal, nothing changes.

    Raises:
        KeyboardInterrupt: instead of whatever the interrupted work itself raised.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        connection.interrupt()

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupted:
            raise KeyboardInterrupt
