"""What a session and its child process say to each other: pickled objects of this module over a pipe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """Run a module-level function of leaplab with the integration as its first argument.

    A generator's items come back one by one, as `Item`s, then `Done`.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Item:
    """One item of a generator."""

    value: Any


@dataclass(frozen=True)
class Done:
    """The function returned (None where it was a generator)."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """The function raised.

    Attributes:
        message: for a person.
        mendable: whether the user can mend it (a `LeaplabError`), or leaplab itself is at fault.
        traceback: for a bug report.
    """

    message: str
    mendable: bool
    traceback: str
