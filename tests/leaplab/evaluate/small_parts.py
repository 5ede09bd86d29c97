"""`python small_parts.py SIZE leaplab's arguments`: the console script with parts of SIZE samples.

Where KILL_AT_RENAME is set, the process is killed just before it renames a file for so many times.
"""

import os
import signal
import sys

from leaplab.cli import main

LAST = int(os.environ.get("KILL_AT_RENAME", 0))
rename, counted = os.replace, 0


def replace(*arguments: object) -> None:
    global counted
    counted += 1
    if counted == LAST:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*arguments)  # type: ignore[arg-type]


if __name__ == "__main__":
    os.replace = replace  # type: ignore[assignment]
    size = sys.argv.pop(1)
    sys.argv += ["--part-size", size] if sys.argv[1] == "evaluate" else []
    main()
