"""Boards: charts that a person keeps together, beside the run or in a file that is passed on."""

from dataclasses import asdict, dataclass, field
from dataclasses import replace as remade
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec
from msgspec.structs import replace

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.population.chart_question import ChartQuestion
from leaplab.store.notes import Notes, change_notes, notes_path, read_notes, tag_name

MOST_BOARDS = 100
MOST_CHARTS = 60
"""Charts of a board."""
LONGEST = 1_000
"""Characters of a name of a column, or of a title."""


@dataclass(frozen=True)
class BoardChart(ChartQuestion):
    """A chart of a board: its question, see `leaplab.population.chart_question`, and how it stands there.

    Attributes:
        axis: whether the values lie on a linear or on a logarithmic scale.
        title: a person's own; None takes one that tells the question.
        width: how many of the board's places it takes.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    axis: Literal["linear", "log"] = "linear"
    title: str | None = None
    width: Literal[1, 2] = 1


@dataclass(frozen=True)
class Board:
    """Charts under a name, in their order."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str
    charts: list[BoardChart] = field(default_factory=list)


class Boards:
    """The boards of a run. Each question reads what is kept now.

    Args:
        path: of the run's folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def told(self) -> list[Board]:
        """All boards, in the order in which they were made.

        Raises:
            LeaplabError: the notes are damaged.
        """
        return self._told(read_notes(self._path))

    def keep(self, board: Board, instead: str | None = None) -> list[Board]:
        """Keep a board.

        Args:
            board: as it is to be.
            instead: name of the one whose place it takes; None adds it.

        Returns:
            All boards, as they are then.

        Raises:
            LeaplabError: the name is none or taken, there is no board to replace, the board holds too much, or nothing
                can be written.
        """
        name = _board_name(board.name)
        _check(board)
        kept = {"charts": [_told_in_short(chart) for chart in board.charts]}

        def changed(notes: Notes) -> Notes:
            if instead is not None and instead not in notes.boards:
                raise MissingError(f"This run has no board \u201c{instead}\u201d.")
            if name != instead and name in notes.boards:
                raise QuestionError(f"There is a board \u201c{name}\u201d already; choose another name.")
            if instead is None and len(notes.boards) >= MOST_BOARDS:
                raise QuestionError(f"A run has at most {MOST_BOARDS} boards; delete one first.")
            boards = {name if each == instead else each: content for each, content in notes.boards.items()}
            return replace(notes, boards={**boards, name: kept})

        return self._told(change_notes(self._path, changed))

    def delete(self, name: str) -> list[Board]:
        """Forget a board.

        Returns:
            All boards, as they are then.

        Raises:
            LeaplabError: there is no such board, or nothing can be written.
        """

        def deleted(notes: Notes) -> Notes:
            if name not in notes.boards:
                raise MissingError(f"This run has no board \u201c{name}\u201d.")
            return replace(notes, boards={each: notes.boards[each] for each in notes.boards if each != name})

        return self._told(change_notes(self._path, deleted))

    def _told(self, notes: Notes) -> list[Board]:
        try:
            boards = [msgspec.convert({"name": name, **content}, Board) for name, content in notes.boards.items()]
            # What is by default msgspec leaves to the class, where nobody finds it who reads the object itself.
            return [Board(board.name, [remade(chart) for chart in board.charts]) for board in boards]
        except (msgspec.ValidationError, TypeError) as error:
            path = notes_path(self._path)
            raise LeaplabError(f"{path} cannot be read (its boards: {error}); mend it, or move it away.") from error


def _board_name(text: str) -> str:
    try:
        return tag_name(text)
    except QuestionError as error:
        raise QuestionError(str(error).replace("A tag", "A board").replace("a tag", "a board")) from None


def _check(board: Board) -> None:
    if len(board.charts) > MOST_CHARTS:
        raise QuestionError(f"A board has at most {MOST_CHARTS} charts, not {len(board.charts)}; make a second one.")
    for chart in board.charts:
        texts = [text for text in vars(chart).values() if isinstance(text, str)]
        if any(len(text) > LONGEST for text in texts):
            raise QuestionError(f"A chart's title, and each name in it, has at most {LONGEST:,} characters.")


def _told_in_short(chart: BoardChart) -> dict[str, Any]:
    """What is not by default."""
    usual = asdict(BoardChart(chart.kind))
    return {"kind": chart.kind} | {name: value for name, value in asdict(chart).items() if value != usual[name]}
