"""What a person should know of their data, though it ends nothing."""

import sys
from functools import cache

MOST = 10
"""Notices that a process prints of one kind: a fault that a hundred thousand files share is not told so often."""

_counts: dict[str, int] = {}


@cache
def notice(text: str, kind: str | None = None) -> None:
    """Print a line to the error output: each text once a process, and of a kind the first `MOST`.

    Args:
        kind: of what is said of many files alike; None where each is to be told.
    """
    if kind is None:
        print(text, file=sys.stderr, flush=True)
        return
    _counts[kind] = count = _counts.get(kind, 0) + 1
    if count <= MOST:
        more = " There may be more of this kind, which are not told." if count == MOST else ""
        print(f"{text}{more}", file=sys.stderr, flush=True)
