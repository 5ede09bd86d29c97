"""Where samples lie on a run's map, remembered for its next evaluation: the map stays put when samples are added.

What is remembered lies beside the run, as an evaluation of other samples makes the run anew.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.parted import BLOCK, PartedVectors, blocks_of
from leaplab.analysis.projection import LANDMARKS, landmark_rows, placed_beside
from leaplab.files import file_name, write_array
from leaplab.store.notes import notes_path

Some = TypeVar("Some", bound=NDArray[np.float32] | PartedVectors)
PRINT = 4
"""Numbers by which a vector is known again."""
SAME = 1e-3
"""Of its length, by how much these may differ: another batch rounds otherwise, another model gives something else."""
FEWEST_SAME = 0.9
"""Of the samples that both evaluations have, the share that must have the same vector: else it is another model."""
FEWEST_DRAWN = 0.5
"""Share of the samples that the map must have been drawn of: else those placed beside them would have no say in it."""
REMEMBERED = np.dtype([("name", "<u8"), ("print", "<f4", PRINT), ("place", "<f4", 2), ("drawn", "?")])
"""Of each sample; `drawn` is whether its place was not made of its neighbours'."""


def places_path(run: Path, name: str) -> Path:
    """Where the places of a run's samples on a map are remembered."""
    return notes_path(run).parent / "maps" / f"{file_name(f'{run.name} {name}')}.npy"


def steady(
    path: Path,
    names: Sequence[str],
    vectors: Some,
    draw: Callable[[Some], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """A map on which the samples that are remembered keep their places, and others lie beside their neighbours.

    It is drawn anew where nothing is remembered, where the model is another one, and where more than half of the
    samples have come since it was drawn.

    Args:
        path: where places are remembered; what is there is replaced.
        names: [n] of the samples, each once.
        vectors: [n, W] finite.
        draw: makes [n, 2] places.

    Returns:
        [n, 2]
    """
    now = np.zeros(len(names), REMEMBERED)
    now["name"] = [int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") for name in names]
    now["print"] = _prints(vectors)
    _place(now, vectors, _read(path), draw)
    with suppress(OSError):  # a folder that is only to be read
        write_array(path, now)
    return np.array(now["place"])


def _place(
    now: NDArray[Any],
    vectors: Some,
    before: NDArray[Any],
    draw: Callable[[Some], NDArray[np.float32]],
) -> None:
    _, here, there = np.intersect1d(now["name"], before["name"], return_indices=True)
    lengths = np.zeros(len(now), np.float32)
    for first, block in blocks_of(vectors):
        lengths[first : first + len(block)] = np.linalg.norm(block, axis=1)
    apart = np.abs(now["print"][here] - before["print"][there]).max(axis=1, initial=0)
    same = apart <= SAME * lengths[here]
    is_steady = (
        len(here) > 0 and same.mean() >= FEWEST_SAME and before["drawn"][there[same]].sum() >= FEWEST_DRAWN * len(now)
    )
    if not is_steady:
        now["place"], now["drawn"] = draw(vectors), True
        return
    known, remembered = here[same], there[same]
    for field in ("place", "drawn"):
        now[field][known] = before[field][remembered]
    is_other = np.ones(len(now), bool)
    is_other[known] = False
    others = np.flatnonzero(is_other)
    beside = known[landmark_rows(len(known), LANDMARKS, 0)]
    known_vectors, places = vectors[beside], now["place"][beside]
    for some in np.array_split(others, 1 + len(others) // BLOCK):
        now["place"][some] = placed_beside(known_vectors, places, vectors[some])


def _prints(vectors: NDArray[np.float32] | PartedVectors) -> NDArray[np.float32]:
    """[n, W] -> [n, PRINT]: by how much each goes along some directions, the same for every run."""
    directions = np.random.default_rng(0).normal(size=(vectors.shape[1], PRINT))
    directions /= np.linalg.norm(directions, axis=0)
    return np.concatenate([np.asarray(block @ directions, np.float32) for _, block in blocks_of(vectors)])


def _read(path: Path) -> NDArray[Any]:
    try:
        remembered: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # there is none, or it was cut off: the map is drawn
        return np.zeros(0, REMEMBERED)
    return remembered if remembered.dtype == REMEMBERED else np.zeros(0, REMEMBERED)
