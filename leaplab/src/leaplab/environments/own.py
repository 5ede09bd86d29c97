"""leaplab's own interpreter, and the environment variables of a process that runs in another."""

import os
import sys
from pathlib import Path

from leaplab.environments.interpreter import Interpreter

PACKAGE = Path(__file__).resolve().parents[1]
OF_AN_ENVIRONMENT = ("PYTHONHOME", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT")


def variables_for(executable: Path) -> dict[str, str]:
    """This process's, without what would lead another interpreter to leaplab's own environment."""
    variables = dict(os.environ)
    if is_own(executable):
        return variables
    for name in OF_AN_ENVIRONMENT:
        if name in ("PYTHONHOME", "__PYVENV_LAUNCHER__") or _is_of_leaplab(variables.get("VIRTUAL_ENV", "")):
            variables.pop(name, None)
    for name in ("PATH", "PYTHONPATH"):
        if name in variables:
            kept = [entry for entry in variables[name].split(os.pathsep) if not _is_of_leaplab(entry)]
            variables[name] = os.pathsep.join(kept)
    return variables


def own_interpreter() -> Interpreter:
    """The interpreter in which leaplab runs."""
    major, minor, micro = sys.version_info[:3]
    return Interpreter(Path(sys.executable), (major, minor, micro), "own", "no other one is known")


def is_own(executable: Path) -> bool:
    """Whether an interpreter is that of the environment in which leaplab runs."""
    return executable.parent.parent.resolve() == Path(sys.prefix).resolve()


def _is_of_leaplab(entry: str) -> bool:
    """Whether a folder belongs to leaplab's environment, or is one in which Python finds its package."""
    if not entry:
        return False
    folder = Path(entry).resolve()
    own = Path(sys.prefix).resolve()
    # An installation in the system's Python has no folder of its own: /usr holds everybody's.
    in_environment = sys.prefix != sys.base_prefix and folder.is_relative_to(own)
    return in_environment or PACKAGE.is_relative_to(folder)
