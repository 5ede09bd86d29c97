"""An integration in a process of its own, which leads a process group that ends with the session."""

import mmap
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leaplab.environments.interpreter import Interpreter
from leaplab.environments.own import is_own, variables_for
from leaplab.errors import DeadIntegrationError, LeaplabError
from leaplab.protocol.binding import BindOrder, Bound
from leaplab.protocol.operations import Answer, Asked, Operation, Stream
from leaplab.protocol.script_failure import how_ended, last_printed
from leaplab.protocol.whereabouts import OUT_OF_MEMORY, SIZE, SLOTS, Whereabouts, read_whereabouts
from leaplab.protocol.wire import Call, Close, Done, Failed, Imported, Item, receive, send
from leaplab.session.printed import notices_of

START = Path(__file__).resolve().parents[1] / "worker" / "start.py"
IMPORT_LIMIT = 300.0
"""Seconds for importing the entry file. What comes after it, preprocess, may well download a data set."""
NOTICE = 0.2
"""Seconds after which a dead process is noticed at the latest, whoever else holds its socket."""
DYING = 5.0
"""Seconds that a process gets to end by itself once it has closed its socket."""
LAST_LINES = 5
THREADS = ("OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""What tells numpy and OpenCV how many threads to use. One each, where nobody says otherwise: handlers have one core
while the model has the others, and threads that wait for one another, or for the next call, would take it from both."""
OUTPUT_ON_DISK = 64 * 2**20
"""Bytes that are kept of what an integration prints."""
OUTPUT_KEPT = 65_536
"""Bytes that are read at once of what an integration prints, and of its end."""


class ChildSession:
    """See `leaplab.session.opening.Session`.

    What the integration prints goes to a file, never into the conversation; its last lines are shown when the process
    dies.

    Args:
        order: the integration.
        interpreter: to run it in.
        import_limit: seconds for importing its entry file.
        unwanted: is set, by another thread, once nobody waits for it to be bound any more.
    """

    def __init__(
        self,
        order: BindOrder,
        interpreter: Interpreter,
        import_limit: float = IMPORT_LIMIT,
        unwanted: threading.Event | None = None,
    ) -> None:
        self.interpreter = interpreter
        self._unwanted = unwanted
        self._order = order
        self._output = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed with the session
        self._memory_file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed with the session
        self._memory_file.truncate(SLOTS * SIZE)
        self._memory = mmap.mmap(self._memory_file.fileno(), SLOTS * SIZE)
        self._connection, theirs = socket.socketpair()
        self._deadline: float | None = None
        self._sample_limit: float | None = None
        self._seen: dict[int, tuple[int, float]] = {}
        self._streaming = False
        try:
            self._process = subprocess.Popen(
                [
                    interpreter.executable,
                    START,
                    *map(str, (theirs.fileno(), self._memory_file.fileno())),
                    order.root,
                    *_hidden(interpreter),
                ],
                cwd=order.root,
                env=_environment(interpreter),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno(), self._memory_file.fileno()],
                # Ctrl-C is for the parent alone, which then ends the group: no traceback of the child on the terminal.
                start_new_session=True,
            )
        except OSError as error:
            self._connection.close()
            self._output.close()
            raise LeaplabError(f"{interpreter.executable} cannot be started ({error.strerror}).") from error
        finally:
            theirs.close()
        self._connection.setblocking(False)
        try:
            bound = self._bind(import_limit)
        except BaseException:
            self.close()
            raise
        self._unwanted = None
        self._notices = [*bound.notices, *notices_of(self._lines())]

    def call(
        self, operation: Operation[Asked, Answer], argument: Any = None, *, time_limit: float | None = None
    ) -> Answer:
        """The operation's answer."""
        self._deadline = None if time_limit is None else time.monotonic() + time_limit
        try:
            self._say(Call(operation.name, argument))
            answer: Answer = self._answer()
            return answer
        except TimeoutError:
            message = f"The handlers did not come to an end within {time_limit:g} s.{self._place()}"
            raise DeadIntegrationError(message, f"took longer than {time_limit:g} s") from None
        finally:
            self._deadline = None

    def stream(
        self, operation: Stream[Asked, Answer], argument: Asked, *, time_limit: float | None = None
    ) -> Iterator[Answer]:
        """The operation's answers, as they come."""
        self._say(Call(operation.name, argument))
        self._streaming = True
        self._sample_limit, self._seen = time_limit, {}
        while isinstance(message := self._hear(), Item):
            yield message.value
        self._streaming, self._sample_limit = False, None

    def notices(self) -> list[str]:
        """What leaplab says of the integration, and the first lines that it printed while it was bound."""
        return list(self._notices)

    def close(self) -> None:
        """End the process, and whatever it has started."""
        if self._output.closed:
            return
        with suppress(OSError):  # it may have died, or be too busy to listen
            send(lambda data: self._connection.send(data), Close())
        self._connection.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        self._end_group()
        self._process.wait()
        self._output.close()
        self._memory.close()
        self._memory_file.close()

    def kill(self) -> None:
        """End the process in the middle of its work, also from another thread than the one that waits for it."""
        self._end_group()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bind(self, import_limit: float) -> Bound:
        self._deadline = time.monotonic() + import_limit
        try:
            self._say(self._order)
            message = self._hear()
            if isinstance(message, Imported):
                self._deadline = None
                message = self._hear()
        except TimeoutError:
            entry = Path(self._order.root) / self._order.entry_file
            raise LeaplabError(
                f"{entry} has not been imported after {import_limit:g} s; look for what blocks it.{self._place()}"
            ) from None
        finally:
            self._deadline = None
        assert isinstance(message, Done), f"expected an answer, got {message}"
        bound: Bound = message.value
        return bound

    def _say(self, message: Any) -> None:
        assert not self._streaming, "a stream was left before its end: its items would be taken for the answer"
        try:
            send(self._write, message)
        except (BrokenPipeError, ConnectionResetError, EOFError):
            raise self._death() from None

    def _answer(self) -> Any:
        message = self._hear()
        assert isinstance(message, Done), f"expected an answer, got {message}"
        return message.value

    def _hear(self) -> Any:
        try:
            message = receive(self._fill)
        except (EOFError, ConnectionResetError):
            self._streaming = False
            raise self._death() from None
        if isinstance(message, Failed):
            self._streaming = False
            if message.mendable:
                raise LeaplabError(message.message)
            raise RuntimeError(f"{message.message}\n\n{message.traceback}")
        return message

    def _write(self, data: memoryview) -> None:
        while len(data):
            self._wait(writing=True)
            with suppress(BlockingIOError):
                data = data[self._connection.send(data) :]

    def _fill(self, target: memoryview) -> None:
        while len(target):
            self._wait(writing=False)
            with suppress(BlockingIOError):
                count = self._connection.recv_into(target)
                if not count:
                    raise EOFError
                target = target[count:]

    def _wait(self, *, writing: bool) -> None:
        """Until the socket is ready.

        A process that has died may have left a child behind that holds the socket's other end: it never closes then.

        Raises:
            EOFError: the process has ended, and nothing is left to read.
            TimeoutError: the deadline has passed.
            LeaplabError: it was being bound, and is unwanted.
        """
        ours = [self._connection]
        while True:
            ended = self._process.poll() is not None
            ready = select.select([] if writing else ours, ours if writing else [], [], 0 if ended else NOTICE)
            if ready[0] or (ready[1] and not ended):
                return
            if ended:
                raise EOFError
            if self._unwanted is not None and self._unwanted.is_set():
                self._end_group()
                raise LeaplabError("Nobody waits for the integration any more.")
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise TimeoutError
            if self._sample_limit is not None:
                self._require_progress(self._sample_limit)
            self._bound_output()

    def _require_progress(self, limit: float) -> None:
        """
        Raises:
            DeadIntegrationError: a function has run for longer than the limit, for each sample that it runs for.
        """
        now = time.monotonic()
        for place in read_whereabouts(self._memory):
            written, since = self._seen.get(place.slot, (None, now))
            if written != place.written:
                self._seen[place.slot] = place.written, now
            elif now - since > limit * max(1, place.stop - place.start):
                how = f"took longer than {limit:g} s"
                raise DeadIntegrationError(f"{_at(place)} {how}.{self._place()}", how, [place])

    def _bound_output(self) -> None:
        # Read by position, so that the process goes on writing behind a hole, which takes no room.
        if os.fstat(self._output.fileno()).st_blocks * 512 > OUTPUT_ON_DISK:
            os.ftruncate(self._output.fileno(), 0)

    def _end_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # none of the group is left
            os.killpg(self._process.pid, signal.SIGKILL)

    def _place(self) -> str:
        """The integration's line that a process is in which does not come to its end; it is ended with this."""
        self._process.send_signal(signal.SIGABRT)  # faulthandler writes where each thread is
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        self._end_group()
        frames = re.findall(r'^  File "(.+)", line (\d+) in (.+)$', self._printed(), re.MULTILINE)
        root = Path(self._order.root)
        for file, line, function in frames:
            path = Path(file)
            if path.is_relative_to(root) and "site-packages" not in path.parts:
                return f" It is at {path.relative_to(root)}, line {line}, in {function}."
        return ""

    def _death(self) -> LeaplabError:
        places = read_whereabouts(self._memory)
        with suppress(subprocess.TimeoutExpired):  # it may have closed its end, and go on by itself
            self._process.wait(timeout=DYING)
        self._end_group()
        code = self._process.wait()
        how = "ran out of memory" if code == OUT_OF_MEMORY else how_ended(code)
        lines = last_printed(self._printed(), LAST_LINES)
        said = f" It last printed: {lines}" if lines else " It printed nothing."
        where = f", {' or '.join(map(_at, places))}" if places else ""
        message = f"The integration's process {how} in the middle of its work{where}.{said}"
        return DeadIntegrationError(message, how, places)

    def _lines(self) -> Iterator[str]:
        """What the integration has printed so far, line by line."""
        file = self._output.fileno()
        end, start, rest = os.fstat(file).st_size, 0, b""
        while start < end:
            *lines, rest = (rest + self._read(start)).split(b"\n")
            start += OUTPUT_KEPT
            rest = rest[:OUTPUT_KEPT]  # nobody reads more of one line
            yield from (line.decode(errors="replace") for line in lines)
        yield rest.decode(errors="replace")

    def _printed(self) -> str:
        """The end of what the integration has printed."""
        return self._read(max(0, os.fstat(self._output.fileno()).st_size - OUTPUT_KEPT)).decode(errors="replace")

    def _read(self, start: int) -> bytes:
        # Read by position: the process shares this file's offset, and would go on writing where a seek has left it.
        return os.pread(self._output.fileno(), OUTPUT_KEPT, start)


def _at(place: Whereabouts) -> str:
    count = place.stop - place.start
    samples = f"sample '{place.sample_id}'" if count == 1 else f"{count} samples from '{place.sample_id}' on"
    return f"{place.handler} on {samples}"


def _hidden(interpreter: Interpreter) -> list[str]:
    """leaplab's own site-packages, where the integration runs in another interpreter."""
    if is_own(interpreter.executable):
        return []
    return [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]


def _environment(interpreter: Interpreter) -> dict[str, str]:
    inherited = variables_for(interpreter.executable)
    # The platform's rules are for its verdict alone: under them code-loader refuses what has no integration test.
    inherited.pop("IS_TENSORLEAP_PLATFORM", None)
    defaults = {"TF_CPP_MIN_LOG_LEVEL": "2", **dict.fromkeys(THREADS, "1")}
    return {**defaults, **inherited, "TL_DISABLE_ANALYTICS": "true"}
