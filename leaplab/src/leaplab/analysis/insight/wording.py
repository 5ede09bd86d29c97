"""What the finders' sentences have in common."""

import re
from collections.abc import Sequence

import numpy as np

from leaplab.analysis.correlation import numbers_of
from leaplab.analysis.differences import Values

NAMED = 5
"""Of a list that is not told whole."""
COUNT = re.compile(
    r"(^|[._])((n|num|number|counts?|total)([._]|$)|(objects|boxes|instances|pairs)(_(all|(of|in|not)_\w+))?$)"
)


def told_p(p: float) -> str:
    """A p-value: what is less than .001 is told as that."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def counted(count: int, noun: str) -> str:
    """`1 sample`, `1,200 samples`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`: one name at least."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def first_of(names: Sequence[str], most: int = NAMED) -> str:
    """`a, b`, and of more than the most `a, b and 3 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def say_the_same(names: Sequence[str], column: str) -> str:
    """The sentence on columns that go with another one."""
    return f"{first_of(names)} {'say' if len(names) > 1 else 'says'} nearly the same as {column}."


def sentence(text: str) -> str:
    """A clause as a sentence."""
    return f"{text[0].upper()}{text[1:]}."


def too_few_classes(state: str, classes: int, least: int, noun: str) -> str:
    """Why the classes of a state cannot be told apart: fewer than two have `least` samples."""
    having = "one class has" if classes else "no class has"
    return f"In {state} {having} {least} labelled {noun}s or more; it takes two to tell apart."


def is_count(column: str, values: Values) -> bool:
    """Whether a column counts something, by its name and by its values: whole numbers from 0 on."""
    read = values if values.categories is None else numbers_of(values)
    if read is None or COUNT.search(column) is None:
        return False
    known = read.numbers[np.isfinite(read.numbers)]
    return bool(((known >= 0) & (known == np.round(known))).all())
