"""An interpreter that an integration may run in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Origin = Literal["option", "folder", "poetry", "made", "own"]


@dataclass(frozen=True)
class Interpreter:
    """A Python that can run an integration: 3.8 or newer, with numpy and code-loader.

    Attributes:
        executable: absolute; not resolved, for an environment's interpreter is a link.
        version: major, minor, micro.
        origin: `--python`; the folder's own .venv or venv; its Poetry environment; the environment that `leaplab env`
            made; leaplab's own interpreter.
        reason: why this one, for the line that a command prints.
        passed_over: a sentence for each candidate that came before it and does not do.
    """

    executable: Path
    version: tuple[int, int, int]
    origin: Origin
    reason: str
    passed_over: tuple[str, ...] = ()
