"""What a person says of a run's insights, by the `stable_id` that outlives the next evaluation."""

from pathlib import Path

from msgspec.structs import replace

from leaplab.errors import MissingError, QuestionError
from leaplab.population.known_insights import read_known
from leaplab.store.notes import LONGEST_NOTE, InsightNote, Notes, Status, change_notes, read_notes


def insight_notes(run: Path) -> dict[str, InsightNote]:
    """Stable id -> what is said of it, also of insights that are not found any more.

    Raises:
        LeaplabError: the notes are damaged.
    """
    return dict(read_notes(run).insights)


def note_insight(run: Path, stable_id: str, status: Status | None = None, note: str | None = None) -> InsightNote:
    """Give an insight a status or a note; what is None stays as it is.

    Returns:
        What is said of it then.

    Raises:
        LeaplabError: there was never such an insight, the note is too long, or nothing can be written.
    """
    if note is not None and len(note) > LONGEST_NOTE:
        raise QuestionError(f"A note has at most {LONGEST_NOTE:,} characters, not {len(note):,}.")

    def noted(notes: Notes) -> Notes:
        before = notes.insights.get(stable_id)
        if before is None and all(each.stable_id != stable_id for each in read_known(run)):
            raise MissingError(f"This run has no insight '{stable_id}'.")
        said = before or InsightNote()
        said = replace(said, status=said.status if status is None else status, note=said.note if note is None else note)
        others = {each: notes.insights[each] for each in notes.insights if each != stable_id}
        return replace(notes, insights=others if said == InsightNote() else {**notes.insights, stable_id: said})

    return change_notes(run, noted).insights.get(stable_id, InsightNote())
