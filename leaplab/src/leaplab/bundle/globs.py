"""Glob patterns as the Tensorleap CLI understands them: those of doublestar v4 (github.com/bmatcuk/doublestar).

`*`, `?` and `[...]` stay within one segment of a path, and dot-files are files like any other. `**` is special only
as a whole segment; elsewhere it is a `*`. `{a,b}` may be nested and hold slashes. A backslash takes the next
character literally. Where doublestar's two halves disagree on corner cases that no leap.yaml holds (a negated class
that meets a slash, `a{**,b}`), this follows the half that finds files.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from leaplab.errors import LeaplabError

MAX_ALTERNATIVES = 10_000
ESCAPABLE = frozenset("[]{}()*+?.,\\^$|#")
"""A backslash before one of these escapes it; before anything else the CLI takes it for Windows' separator."""


class BadPatternError(LeaplabError):
    """A pattern that cannot be used; the message says why and what to write."""


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern matches the whole of a path whose segments are joined by "/", as `exclude` does it.

    `dir/**` also matches `dir` itself.

    Raises:
        BadPatternError: the pattern cannot be read.
    """
    compiled = _compiled(pattern)
    states = compiled.start
    for name in path.split("/"):
        states = compiled.step(states, name)
    return bool(compiled.selected(states)) or compiled.only_doublestar_left(states)


def as_cli_pattern(pattern: str) -> str:
    """The pattern with Windows' separators turned into slashes, as the CLI turns them."""
    return re.sub(
        r"\\(.?)", lambda found: found[0] if found[1] in ESCAPABLE and found[1] else f"/{found[1]}", pattern, flags=re.S
    )


def as_include_pattern(pattern: str) -> str:
    """The pattern that the CLI looks for below the root: `./a//b/../c/` is `a/c`.

    Raises:
        BadPatternError: it leads outside the root.
    """
    cleaned = posixpath.normpath("./" + as_cli_pattern(pattern))
    if cleaned == ".." or cleaned.startswith("../"):
        raise BadPatternError(
            f"The include pattern '{pattern}' leads outside the folder of leap.yaml;"
            " name files below it, or move what the integration needs there."
        )
    return "" if cleaned == "." else cleaned


States = frozenset[int]


class Globs:
    """Patterns that are walked down a tree of folders together, one segment at a time.

    Unlike `matches`, a pattern `dir/**` selects what lies below `dir` only, as it does where the CLI looks for files.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._segments: list[_Segment] = []
        start: set[int] = set()
        for index, pattern in enumerate(patterns):
            for alternative in _alternatives(pattern):
                start.add(len(self._segments))
                self._segments += [_segment(text, pattern) for text in _split(alternative)]
                self._segments.append(index)
        self._closures = [self._closure(state) for state in range(len(self._segments))]
        self.start: States = frozenset(state for first in start for state in self._closures[first])

    def step(self, states: Iterable[int], name: str) -> States:
        """The states after one more segment; none are left where nothing below can match."""
        after: set[int] = set()
        for state in states:
            segment = self._segments[state]
            if segment is DOUBLESTAR:
                after |= self._closures[state]
                if isinstance(self._segments[state + 1], int):
                    after.add(state + 1)
            elif segment == name if isinstance(segment, str) else _fits(segment, name):
                after |= self._closures[state + 1]
        return frozenset(after)

    def selected(self, states: Iterable[int]) -> set[int]:
        """The indices of the patterns that match a file at these states."""
        return {index for state in states if isinstance(index := self._segments[state], int)}

    def leads_on(self, states: Iterable[int]) -> bool:
        """Whether anything below a folder at these states can match."""
        return any(not isinstance(self._segments[state], int) for state in states)

    def only_doublestar_left(self, states: Iterable[int]) -> bool:
        """Whether some pattern has nothing left but a last `**`."""
        return any(
            self._segments[state] is DOUBLESTAR and isinstance(self._segments[state + 1], int) for state in states
        )

    def _closure(self, state: int) -> States:
        """The state and those that it becomes where a `**` takes no segment; the last `**` takes one at least."""
        closure = {state}
        while self._segments[state] is DOUBLESTAR and not isinstance(self._segments[state + 1], int):
            state += 1
            closure.add(state)
        return frozenset(closure)


class _Doublestar:
    pass


DOUBLESTAR = _Doublestar()
_Segment = _Doublestar | re.Pattern[str] | str | int
"""`**`, a pattern, a name, or the index of the pattern whose end this is."""


def _fits(segment: _Segment, name: str) -> bool:
    return isinstance(segment, re.Pattern) and segment.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Globs:
    # `dir/**/` also matches `dir`.
    return Globs([pattern, pattern.removesuffix("/**/")] if pattern.endswith("/**/") else [pattern])


def _alternatives(pattern: str) -> list[str]:
    """The pattern without its braces, once for each way to choose."""
    pending, done = [pattern], []
    while pending:
        text = pending.pop()
        opening = _find_brace(text, pattern)
        if opening is None:
            done.append(text)
            continue
        choices, closing = _choices(text, opening, pattern)
        pending += [text[:opening] + choice + text[closing + 1 :] for choice in choices]
        if len(pending) + len(done) > MAX_ALTERNATIVES:
            raise BadPatternError(
                f"The pattern '{pattern}' has more than {MAX_ALTERNATIVES:,} alternatives; use fewer."
            )
    return done


def _find_brace(text: str, pattern: str) -> int | None:
    """Where the first brace opens that is neither escaped nor in a class."""
    place = 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
        elif character == "[":
            place = _class_end(text, place, pattern)
        elif character == "{":
            return place
        elif character == "}":
            raise BadPatternError(f"The pattern '{pattern}' closes a brace that it never opens; write \\}} for itself.")
        place += 1
    return None


def _choices(text: str, opening: int, pattern: str) -> tuple[list[str], int]:
    """What stands between the commas of the brace at `opening`, and where it closes."""
    depth, place, begin, choices = 0, opening, opening + 1, []
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
        elif character == "{":
            depth += 1
        elif character == "," and depth == 1:
            choices.append(text[begin:place])
            begin = place + 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return [*choices, text[begin:place]], place
        place += 1
    raise BadPatternError(f"The pattern '{pattern}' never closes a brace; add }} or write \\{{ for itself.")


def _split(text: str) -> list[str]:
    """The segments of a pattern without braces; an escaped slash separates, too."""
    return re.sub(r"\\(/)|\\(.)", lambda found: found[1] or found[0], text, flags=re.S).split("/")


def _segment(text: str, pattern: str) -> _Segment:
    if text == "**":
        return DOUBLESTAR
    parts, literal, place = [""], "", 0
    while place < len(text):
        character = text[place]
        if character == "*":
            parts.append("")
        elif character == "?":
            parts[-1] += "[^/]"
        elif character == "[":
            end = _class_end(text, place, pattern)
            parts[-1] += _class(text[place + 1 : end])
            place = end
        else:
            if character == "\\":
                place += 1
                if place == len(text):
                    raise BadPatternError(f"The pattern '{pattern}' ends in a backslash; write two for itself.")
            parts[-1] += re.escape(text[place])
            literal += text[place]
        place += 1
    if parts == [re.escape(literal)]:
        return literal
    if len(parts) == 1:
        return re.compile(parts[0], re.DOTALL)
    # What stands between two stars is of fixed length: its first place is as good as any later one.
    first, *between, last = parts
    expression = first + "".join(f"(?>[^/]*?{part})" for part in between if part) + "[^/]*" + last
    return re.compile(expression, re.DOTALL)


def _class_end(text: str, opening: int, pattern: str) -> int:
    """Where the class that opens at `opening` closes; it holds at least one character."""
    place = opening + 1
    if text[place : place + 1] in ("!", "^"):
        place += 1
    if text[place : place + 1] == "]":
        raise BadPatternError(f"The pattern '{pattern}' holds an empty class []; write \\] for itself.")
    while place < len(text) and text[place] != "]":
        place += 2 if text[place] == "\\" else 1
    if place >= len(text):
        raise BadPatternError(
            f"The pattern '{pattern}' never closes a [ in one segment; add ] or write \\[ for itself."
        )
    return place


def _class(text: str) -> str:
    """A class as a regular expression; a hyphen at either end, or after a range, is itself."""
    negated = text[0] in "!^"
    characters: list[tuple[str, bool]] = [
        (found[1] or found[0], found[0] == "-") for found in re.finditer(r"\\(.)|.", text[negated:], re.DOTALL)
    ]
    ranges: list[str] = []
    place = 0
    while place < len(characters):
        first = last = characters[place][0]
        if place + 2 < len(characters) and characters[place + 1][1]:
            last = characters[place + 2][0]
            place += 2
        if first <= last:
            ranges.append(f"{re.escape(first)}-{re.escape(last)}")
        place += 1
    inside = "".join(ranges)
    if not inside:  # z-a holds no character
        return "[^/]" if negated else "(?!)"
    return f"[^/{inside}]" if negated else f"(?!/)[{inside}]"
