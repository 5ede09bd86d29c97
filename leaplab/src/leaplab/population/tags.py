"""Tags: named collections of samples that a person makes, kept by state and id, so that they outlive an evaluation."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from leaplab.errors import MissingError, QuestionError
from leaplab.store.notes import MOST_TAGS, Notes, change_notes, read_notes, tag_name

if TYPE_CHECKING:
    from leaplab.population.population import Population

GROUP = "tag"
"""Of the names in a condition: `tag.NAME` is true of the samples that have the tag."""


class Tag(Struct, frozen=True):
    """A tag in short.

    Attributes:
        count: samples of it that are in the run.
        missing: samples of it that are not: this evaluation left them out. They are kept.
    """

    name: str
    count: int
    missing: int


def members_of_tags(run: Path) -> dict[str, list[tuple[str, str]]]:
    """Tag -> (state, id) of its samples, those too that are not in the run; by name.

    Raises:
        LeaplabError: the notes are damaged.
    """
    tags = read_notes(run).tags
    return {
        name: [(state, sample_id) for state, ids in tags[name].items() for sample_id in ids] for name in _sorted(tags)
    }


class Tags:
    """The tags of a run, by its rows. Each question reads what is kept now.

    Args:
        population: the run.
    """

    def __init__(self, population: "Population") -> None:
        self._population = population
        self._path = population.store.path

    def told(self) -> list[Tag]:
        """All tags, by name.

        Raises:
            LeaplabError: the notes are damaged.
        """
        return self._told(read_notes(self._path))

    def rows(self, name: str) -> NDArray[np.int64]:
        """The rows of a tag's samples that are in the run, ascending.

        Raises:
            LeaplabError: there is no such tag, or the notes are damaged.
        """
        return self._rows(_known(read_notes(self._path), name))

    def of(self, row: int) -> list[str]:
        """The names of the tags that a row's sample has.

        Raises:
            LeaplabError: there is no such row, or the notes are damaged.
        """
        population = self._population
        state, sample_id = population.states[population.require_row(row)], population.ids[row]
        tags = read_notes(self._path).tags
        return [name for name in _sorted(tags) if sample_id in tags[name].get(state, ())]

    def add(self, name: str, rows: Sequence[int] | NDArray[np.int64]) -> list[Tag]:
        """Give samples a tag, which begins to exist where it did not.

        Returns:
            All tags, as they are then.

        Raises:
            LeaplabError: there is no such row, the name is none, there are too many tags, or nothing can be written.
        """
        name, chosen = tag_name(name), self._by_state(rows)

        def added(notes: Notes) -> Notes:
            if name not in notes.tags and len(notes.tags) >= MOST_TAGS:
                raise QuestionError(f"A run has at most {MOST_TAGS:,} tags; delete one first.")
            tag = dict(notes.tags.get(name, {}))
            for state, ids in chosen.items():
                tag[state] = list(dict.fromkeys([*tag.get(state, ()), *ids]))
            return replace(notes, tags={**notes.tags, name: tag})

        return self._told(change_notes(self._path, added))

    def remove(self, name: str, rows: Sequence[int] | NDArray[np.int64]) -> list[Tag]:
        """Take a tag from samples; it stays, be it empty.

        Returns:
            All tags, as they are then.

        Raises:
            LeaplabError: there is no such row or tag, or nothing can be written.
        """
        name, chosen = tag_name(name), self._by_state(rows)
        gone = {state: set(ids) for state, ids in chosen.items()}

        def removed(notes: Notes) -> Notes:
            tag = {
                state: [sample_id for sample_id in ids if sample_id not in gone.get(state, ())]
                for state, ids in _known(notes, name).items()
            }
            return replace(notes, tags={**notes.tags, name: {state: ids for state, ids in tag.items() if ids}})

        return self._told(change_notes(self._path, removed))

    def rename(self, name: str, new: str) -> list[Tag]:
        """Give a tag another name.

        Returns:
            All tags, as they are then.

        Raises:
            LeaplabError: there is no such tag, the new name is none or taken, or nothing can be written.
        """
        name, new = tag_name(name), tag_name(new)

        def renamed(notes: Notes) -> Notes:
            tag = _known(notes, name)
            if new == name:
                return notes
            if new in notes.tags:
                raise QuestionError(f"There is a tag \u201c{new}\u201d already; choose another name.")
            return replace(notes, tags={**{each: notes.tags[each] for each in notes.tags if each != name}, new: tag})

        return self._told(change_notes(self._path, renamed))

    def delete(self, name: str) -> list[Tag]:
        """Forget a tag; its samples stay.

        Returns:
            All tags, as they are then.

        Raises:
            LeaplabError: there is no such tag, or nothing can be written.
        """
        name = tag_name(name)

        def deleted(notes: Notes) -> Notes:
            _known(notes, name)
            return replace(notes, tags={each: tag for each, tag in notes.tags.items() if each != name})

        return self._told(change_notes(self._path, deleted))

    def conditions(self, expression: str) -> dict[str, NDArray[np.bool_]]:
        """`tag.NAME` -> [N], of the tags that a condition names.

        Raises:
            LeaplabError: it names one, and the notes are damaged.
        """
        if f"{GROUP}." not in expression:
            return {}
        tags = read_notes(self._path).tags
        masks = {}
        for name in tags:
            if name in expression or name.replace('"', '""') in expression:
                mask = np.zeros(self._population.samples, bool)
                mask[self._rows(tags[name])] = True
                masks[f"{GROUP}.{name}"] = mask
        return masks

    def _told(self, notes: Notes) -> list[Tag]:
        told = []
        for name in _sorted(notes.tags):
            tag = notes.tags[name]
            count = len(self._rows(tag))
            told.append(Tag(name, count, sum(map(len, tag.values())) - count))
        return told

    def _rows(self, tag: dict[str, list[str]]) -> NDArray[np.int64]:
        known = self._population.rows_by_name
        found = (known.get((state, sample_id)) for state, ids in tag.items() for sample_id in ids)
        return np.array(sorted(row for row in found if row is not None), np.int64)

    def _by_state(self, rows: Sequence[int] | NDArray[np.int64]) -> dict[str, list[str]]:
        population = self._population
        chosen: dict[str, list[str]] = {}
        for row in rows:
            chosen.setdefault(population.states[population.require_row(int(row))], []).append(population.ids[row])
        return chosen


def _known(notes: Notes, name: str) -> dict[str, list[str]]:
    if name not in notes.tags:
        raise MissingError(f"This run has no tag \u201c{name}\u201d.")
    return notes.tags[name]


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name.casefold(), name))
