"""Where in its work an integration's process is, so that the lab can tell when it dies or does not come to an end.

The worker writes it into memory that both processes share: it is there whatever the process dies of. It has a slot for
the thread that calls the integration's functions, and one for the thread that runs its model:

    8 bytes    how often it was written
    4 bytes    number of the part; NOWHERE while none of it runs
    4 bytes    first sample, counted within the part
    4 bytes    the one behind the last
    2 bytes    length of the second of two texts in UTF-8
    2 bytes    of the first, before which it lies so that both are written at once
    128 bytes  what runs: `input 'image'`, `model`
    104 bytes  id of the first sample
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

OUT_OF_MEMORY = 86
"""Exit code of a process whose memory is full."""
SLOTS = 2
SIZE = 256
NOWHERE = 0xFFFFFFFF
WRITTEN, PLACE, LENGTH = struct.Struct("<Q"), struct.Struct("<IIIH"), struct.Struct("<H")
HANDLER_LENGTH, SAMPLE_LENGTH = 128, 104
PLACE_AT = WRITTEN.size
LENGTH_AT = PLACE_AT + PLACE.size
HANDLER_AT = LENGTH_AT + LENGTH.size
SAMPLE_AT = HANDLER_AT + HANDLER_LENGTH


class Whereabouts(NamedTuple):
    """What a thread is doing.

    Attributes:
        slot: of the thread.
        written: how often it was written: the thread has moved on where that differs.
        part: number of the part.
        start: first sample, counted within the part.
        stop: the one behind the last.
        handler: what runs: `input 'image'`, `metric 'iou'`, `model`.
        sample_id: of the first sample, cut where it is long.
    """

    slot: int
    written: int
    part: int
    start: int
    stop: int
    handler: str
    sample_id: str


def read_whereabouts(memory: Any) -> list[Whereabouts]:
    """What each thread is doing; none that runs nothing of the integration."""
    found = []
    for slot in range(SLOTS):
        start = slot * SIZE
        (written,) = WRITTEN.unpack_from(memory, start)
        part, first, stop, of_sample = PLACE.unpack_from(memory, start + PLACE_AT)
        (of_handler,) = LENGTH.unpack_from(memory, start + LENGTH_AT)
        if written and part != NOWHERE:
            places = ((start + HANDLER_AT, of_handler), (start + SAMPLE_AT, of_sample))
            texts = [bytes(memory[at : at + length]).decode(errors="replace") for at, length in places]
            found.append(Whereabouts(slot, written, part, first, stop, *texts))
    return found
