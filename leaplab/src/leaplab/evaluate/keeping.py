"""What the parts of an evaluation gave, into its run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaplab.protocol.plan import Part
from leaplab.protocol.results import PartResult
from leaplab.store.columns import INPUT, METADATA, column_of
from leaplab.store.parts import PartEntry
from leaplab.store.writing import PartValues, WrittenRun


@dataclass(frozen=True)
class WrittenPart:
    """A part whose files somebody else has written where the run lies, and that is to be published.

    Attributes:
        entry: None where the part cannot be kept, see `write_files`.
    """

    part: Part
    entry: PartEntry | None


def write_files(store: WrittenRun, result: PartResult, again: bool) -> WrittenPart:
    """Write the files of a part. It counts once it is published.

    Args:
        again: whether the result is of some groups of columns alone, of a part that is there.

    Returns:
        Without an entry where samples were left out that the part's arrays are of: it has to be evaluated as a whole.
    """
    if not again:
        return WrittenPart(result.part, store.write_files(_values(result)))
    return WrittenPart(result.part, None if result.skipped else store.renew_files(_values(result)))


def keep(store: WrittenRun, found: PartResult | WrittenPart, again: bool) -> bool:
    """Make a part one of the run.

    Args:
        again: see `write_files`.

    Returns:
        Whether it is.

    Raises:
        LeaplabError: see `WrittenRun.publish`.
    """
    written = write_files(store, found, again) if isinstance(found, PartResult) else found
    if written.entry is None:
        return False
    store.publish(written.part, written.entry)
    return True


def _values(result: PartResult) -> PartValues:
    columns: dict[str, Sequence[Any]] = {column_of(METADATA, name): values for name, values in result.metadata.items()}
    columns |= {column_of(INPUT, name): values for name, values in result.inputs.items()}
    columns |= result.scores
    return PartValues(
        result.part,
        result.ids,
        columns,
        result.latents,
        result.predictions,
        {column: vars(elements) for column, elements in result.confusion.items()},
        None if result.instances is None else result.instances.table(),
        result.instance_latents,
        result.ground_truths,
        result.thumbnails,
        result.skipped,
    )
