"""What code-loader says where an integration's script fails."""

from __future__ import annotations

from pathlib import Path

MARKER = "DatasetScriptException: "
LONGEST = 600


def is_of(root: Path, module: str) -> bool:
    """Whether a top-level module would be the integration's own."""
    return (root / module).is_dir() or (root / f"{module}.py").is_file()


def how_to_have(root: Path) -> str:
    """What to do where an interpreter lacks what the integration imports, for the end of a sentence."""
    return f"install what brings it there, or make the integration's environment by `leaplab env {root}`"


def script_failure(general_error: str) -> str:
    """The reason in a `general_error`, in one line: what the script's own exception said, however many lines it took.

    The text is a summary, a traceback and, behind `MARKER`, the exception; without one, its last line is given.
    """
    told = general_error.rpartition(MARKER)[2] if MARKER in general_error else general_error.strip().rpartition("\n")[2]
    reason = " ".join(told.split()) or "no reason given"
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 3]}..."
