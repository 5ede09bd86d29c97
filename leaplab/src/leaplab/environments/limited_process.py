"""Commands that may print, hang or die."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from leaplab.protocol.script_failure import how_ended

OUTPUT_KEPT = 20_000
PAUSE = 0.2
"""Seconds between two looks at what a command has printed."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        how: empty where it came to its end with exit code 0, else for a sentence: "was ended by SIGKILL".
        output: the last 20,000 bytes of what it printed.
    """

    how: str
    output: str


def run_limited(
    command: Sequence[str | Path],
    folder: Path,
    environment: dict[str, str],
    limit: float,
    each_line: Callable[[str], None] | None = None,
    inherits: Sequence[int] = (),
) -> Ended:
    """Run a command in `folder` for at most `limit` seconds; what it started ends with it.

    Each whole line that it prints goes to `each_line` while it runs. It keeps the file descriptors `inherits` open.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=inherits,
        )
        try:
            code = process.wait(limit) if each_line is None else _watched(process, output.fileno(), limit, each_line)
            how = "" if code == 0 else how_ended(code)
        except subprocess.TimeoutExpired:
            how = f"did not end within {limit:g} s"
        finally:
            _end_group(process)
        output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT_KEPT))
        return Ended(how, output.read().decode(errors="replace"))


def _watched(process: "subprocess.Popen[bytes]", output: int, limit: float, each_line: Callable[[str], None]) -> int:
    end, place, pending = time.monotonic() + limit, 0, b""
    while True:
        code = process.poll()
        # The process writes where the file's one position is: reading must not move it.
        while more := os.pread(output, 65_536, place):
            place += len(more)
            *lines, pending = (pending + more).split(b"\n")
            for line in lines:
                each_line(line.decode(errors="replace").rstrip())
        if code is not None:
            return code
        if time.monotonic() > end:
            raise subprocess.TimeoutExpired(process.args, limit)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PAUSE)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):  # none of the group is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
