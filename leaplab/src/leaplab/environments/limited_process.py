"""Commands that may print, hang or die."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

OUTPUT_KEPT = 20_000


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        how: empty where it came to its end with exit code 0, else for a sentence: "was ended by SIGKILL".
        output: the last 20,000 bytes of what it printed.
    """

    how: str
    output: str


def run_limited(command: Sequence[str | Path], folder: Path, environment: dict[str, str], limit: float) -> Ended:
    """Run a command in `folder` for at most `limit` seconds; what it started ends with it."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
            how = "" if code == 0 else _told(code)
        except subprocess.TimeoutExpired:
            how = f"did not end within {limit:g} s"
        finally:
            _end_group(process)
        output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT_KEPT))
        return Ended(how, output.read().decode(errors="replace"))


def _told(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):  # none of the group is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
