"""Says where this process is, see `leaplab.protocol.whereabouts`."""

from __future__ import annotations

import mmap
import os
from contextlib import contextmanager
from typing import Any, Iterator

from leaplab.protocol.whereabouts import (
    HANDLER_LENGTH,
    LENGTH,
    LENGTH_AT,
    NOWHERE,
    PLACE,
    PLACE_AT,
    SAMPLE_AT,
    SAMPLE_LENGTH,
    SIZE,
    SLOTS,
    WRITTEN,
)

UNKNOWN_HANDLER = "process"
UNPLACED = PLACE.pack(NOWHERE, 0, 0, 0)
"""No sample."""


class Slot:
    """Notes what one thread runs, before it runs. What is noted before memory is shared is for nobody to read."""

    def __init__(self) -> None:
        self._memory: Any = bytearray(SIZE)
        self._connection: int | None = None
        self._written = 0
        self._texts: dict[str, tuple[slice, bytes]] = {}
        self._place: bytes | None = UNPLACED

    def share(self, memory: Any, connection: int) -> None:
        """Write to this memory from here on; without the connection nothing that is done is of use."""
        self._memory, self._connection = memory, connection
        self._place = UNPLACED

    @property
    def is_shared(self) -> bool:
        """Whether the lab can see this."""
        return self._connection is not None

    def move(self, part: int, start: int, stop: int, sample_id: object) -> None:
        """What runs from here on is for these samples of a part, of which the first has this id."""
        self._require_connection()
        sample = str(sample_id).encode(errors="replace")[:SAMPLE_LENGTH]
        self._memory[SAMPLE_AT : SAMPLE_AT + len(sample)] = sample
        self._place = PLACE.pack(part, start, stop, len(sample))

    @contextmanager
    def at(self, part: int, start: int, stop: int, sample_id: object, handler: str) -> Iterator[None]:
        """Within, a handler runs for these samples of a part."""
        self.move(part, start, stop, sample_id)
        self.note(handler)
        try:
            yield
        finally:
            self.leave()

    def leave(self) -> None:
        """No function of the integration runs."""
        self._require_connection()
        self._place = UNPLACED
        self.note("")

    def note(self, handler: str) -> None:
        """A function of the integration, or its model, is about to run."""
        if FORKED:
            # A second process that would answer. `_exit`, because whatever else would run belongs to the first one.
            os._exit(1)
        # As little as can be: this is done for every function of every sample.
        try:
            place, text = self._texts[handler]
        except KeyError:
            place, text = self._texts[handler] = _prepared(handler)
        self._memory[place] = text
        if self._place is not None:  # with the function, and not before it: until then nothing runs for these samples
            self._memory[PLACE_AT:LENGTH_AT] = self._place
            self._place = None
        self._written += 1
        WRITTEN.pack_into(self._memory, 0, self._written)

    def _require_connection(self) -> None:
        # What has closed the socket could never answer. Once a sample: asking costs as much as a small handler.
        if self._connection is None:
            return
        try:
            os.fstat(self._connection)
        except OSError:
            self.note(UNKNOWN_HANDLER)
            os._exit(1)


def _prepared(handler: str) -> tuple[slice, bytes]:
    """Where the name of a function goes, and its bytes with their number before them."""
    name = handler.encode(errors="replace")[:HANDLER_LENGTH]
    text = LENGTH.pack(len(name)) + name
    return slice(LENGTH_AT, LENGTH_AT + len(text)), text


def _is_forked() -> None:
    global FORKED
    FORKED = True


FORKED = False
"""Whether this is what a handler has forked. It may do what it was made for, but run no further handler."""
os.register_at_fork(after_in_child=_is_forked)

HERE, MODEL = Slot(), Slot()
"""Of the thread that calls the integration's functions, and of the one that runs its model."""


def share(descriptor: int, connection: int) -> None:
    """Let the lab see where this process is.

    Args:
        descriptor: of an open file of `SLOTS` x `SIZE` bytes, which the lab has mapped, too.
        connection: the socket that leads to the lab.
    """
    memory = memoryview(mmap.mmap(descriptor, SLOTS * SIZE))
    for place, slot in enumerate((HERE, MODEL)):
        slot.share(memory[place * SIZE : (place + 1) * SIZE], connection)
