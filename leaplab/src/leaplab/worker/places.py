"""Where in an integration's own code something happened."""

from __future__ import annotations

import traceback
from pathlib import Path

from leaplab.protocol.script_failure import in_plain_words


def is_below(path: Path, folder: Path) -> bool:
    """Whether a path is the folder or lies in it."""
    return path == folder or folder in path.parents


def is_own(path: Path, root: Path) -> bool:
    """Whether a file is the integration's own: below its root, and in no environment that lies there."""
    return is_below(path, root) and "site-packages" not in path.parts


def told(error: BaseException, root: Path) -> str:
    """The error in a sentence, with the innermost line of the integration's own code."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if is_own(path, root):
            place = f" ({path.relative_to(root)}, line {frame.lineno}, in {frame.name})"
    if isinstance(error, SystemExit):
        return f"it ends its process (sys.exit({error.code!r})){place}"
    try:
        message = " ".join(str(error).split()) or "no message"
    except Exception as broken:  # of an exception whose own text cannot be made
        message = f"its text cannot be told, because making it raises {type(broken).__name__}"
    plain = in_plain_words(message)
    return f"{plain}{place}" if plain != message else f"{type(error).__name__}: {message}{place}"
