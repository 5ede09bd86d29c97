"""Which of the lines that an integration prints are for the person who evaluates it."""

import re
from collections.abc import Iterable, Iterator

MAX_NOTICES = 5
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_LOG = re.compile(
    r"""
      \d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+:?\s+(\[?[VIWEF][\]:\s])  # TensorFlow, onnxruntime: a time and a level
    | [VIWEF]\d{4}\s\d\d:\d\d:\d                                        # absl and glog: E0000 00:00:1732575600.1 ...
    | \[[VIWEF]:onnxruntime:
    | WARNING:\s+All\slog\smessages\sbefore\sabsl::InitializeLog
    | (DEBUG|INFO|WARNING|ERROR):(absl|tensorflow|root:TF):
    | To\senable\sthe\sfollowing\sinstructions:.*rebuild\sTensorFlow    # second lines of TensorFlow's
    | Skipping\sregistering\sGPU\sdevices
    | Tensorleap\sWarning:                                               # code-loader's; `leaplab check` tells them
    """,
    re.VERBOSE,
)
_WARNING = re.compile(r".+:\d+: (Pending)?DeprecationWarning: ")
"""How Python shows one; the line of code that it is about follows, indented."""


def notices_of(lines: Iterable[str]) -> list[str]:
    """The first lines that a person wrote, and how many more there are.

    The log lines of TensorFlow, CUDA, absl, onnxruntime and code-loader and Python's deprecation warnings say nothing
    about the data or the model.
    """
    notices: list[str] = []
    more = 0
    for line in _written(lines):
        if len(notices) < MAX_NOTICES:
            notices.append(line)
        else:
            more += 1
    if more:
        notices.append(f"The integration printed {more:,} more line{'s' if more > 1 else ''}.")
    return notices


def _written(lines: Iterable[str]) -> Iterator[str]:
    warned = False
    for line in lines:
        plain = _COLOUR.sub("", line).rstrip()
        if warned and plain.startswith("  "):
            warned = False
            continue
        warned = _WARNING.match(plain) is not None
        if plain and not warned and not _LOG.match(plain):
            yield plain
