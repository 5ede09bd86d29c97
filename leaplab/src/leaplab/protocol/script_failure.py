"""What is said where an integration's script fails: of code-loader's verdict, of a traceback, of a process that died.

Each is answered here alone; the scripts of `worker` that import nothing of leaplab hand over what they saw.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any, Iterator

MARKER = "DatasetScriptException: "
LONGEST = 600
LAST_LINES = 3
UNPICKLED = re.compile(
    r"Can't (?:pickle|get) (?:<function (?P<name>\S+) at 0x\w+>|local object (?:<function )?'?(?P<inner>[^\s']+))"
)
"""What pickle says of a function that another process could not import: one of the entry file, or a local one."""


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


def failures_of(valid: bool, general_error: str, failed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What code-loader's verdict says is wrong, as (handler, its whole text); without a handler, of the script.

    Args:
        valid: its `is_valid`.
        general_error: empty where there is none.
        failed: of each payload that did not pass, its name and what it displays.
    """
    if valid:
        return []
    # Once a handler has failed, code-loader goes on and stumbles over what that handler did not give.
    return failed or ([("", general_error)] if general_error else [])


def failures_in(verdict: Any) -> list[tuple[str, str]]:
    """The same of a `DatasetIntegParseResult`, in the process that has it."""
    failed = [
        (str(payload.name), "\n".join(str(text) for text in (getattr(payload, "display", None) or {}).values()))
        for payload in getattr(verdict, "payloads", None) or []
        if not payload.is_passed
    ]
    return failures_of(bool(verdict.is_valid), getattr(verdict, "general_error", None) or "", failed)


def reason_of(handler: str, text: str) -> str:
    """One line of what `failures_of` gives, without a full stop: "'image' fails: KeyError('a')"."""
    if not handler:
        return f"The integration cannot be bound: {script_failure(text)}"
    return f"'{handler}' fails: {text.strip().partition(chr(10))[0] or 'it gives no reason'}"


def in_plain_words(text: str) -> str:
    """An error's text, where it is one that says nothing to a person who did not write the library that raises it."""
    found = UNPICKLED.search(text)
    if found is None:
        return text
    name = found["name"] or found["inner"]
    if "<locals>" in name or "<lambda>" in name:
        return (
            f"'{name}' cannot be handed to another process, which finds no function that stands inside another one;"
            " define it at the top of a module beside the entry file"
        )
    return (
        f"'{name}' cannot be handed to another process: code-loader imports the entry file under the name of its path,"
        f" from which no process can import anything; define '{name}' in a module beside the entry file"
    )


def frames_in(text: str, root: Path | str) -> Iterator[tuple[str, int]]:
    """The lines below a folder that a printed traceback names, as (path relative to it, line), the innermost last."""
    for file, line in re.findall(rf'File "{re.escape(str(root))}/([^"]+)", line (\d+)', text):
        if "site-packages" not in Path(file).parts:
            yield file, int(line)


def place(file: str | None, line: int | None = None) -> str:
    """file:line, as editors open it; the file alone where no line is known, and nothing where no file is."""
    return "" if file is None else f"{file}:{line}" if line else file


def how_ended(code: int) -> str:
    """How a process ended by its return code, for a sentence: "was ended by SIGKILL"."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def last_printed(output: str, lines: int = LAST_LINES) -> str:
    """The last lines of what a process printed, in one; empty where it printed nothing."""
    said = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(said[-lines:])[-LONGEST:]
