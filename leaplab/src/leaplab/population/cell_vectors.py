"""What a run's model makes of each place of its samples: the cells of one feature map, kept beside the run."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaplab.errors import DeadIntegrationError, LeaplabError, MissingError
from leaplab.files import write_array, written_aside
from leaplab.population.cached import place_of
from leaplab.population.heatmap_kept import arrays_packed, arrays_unpacked
from leaplab.population.model_cuts import ModelCuts
from leaplab.protocol.explaining import Cells
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.operations import CELLS

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SEED = 0
MOST_BYTES = 1 << 30
"""Bytes that the cells of a run take on disk; of a larger run, those of some samples are kept."""
Progress = Callable[[str, int, int], None]


class _Told(msgspec.Struct):
    """What is kept beside the vectors, as JSON."""

    layer: str
    input: str
    height: int
    width: int
    shape: tuple[int, int, int]
    whole: bool
    left_out: int


@dataclass(frozen=True)
class CellVectors:
    """The cells of a run's samples.

    Attributes:
        rows: [n] int64, of the run, in no order.
        values: [n, h, w, C] float16, finite, read from disk as it is needed.
        layer: that makes the map.
        input: name of the input that it lies over.
        size: height and width of that input, in pixels.
        whole: whether all samples of the run were asked for.
        left_out: samples that have none: they cannot be encoded, or a number is too large for float16.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float16]
    layer: str
    input: str
    size: tuple[int, int]
    whole: bool
    left_out: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return self.values.shape[1], self.values.shape[2]

    def of_row(self, row: int) -> NDArray[np.float16] | None:
        """[h, w, C] of one sample; None where it is not among these."""
        places = np.flatnonzero(self.rows == row)
        return self.values[places[0]] if len(places) else None


def cell_vectors(
    population: "Population",
    cuts: ModelCuts,
    row: int,
    input_name: str = "",
    layer: str = "",
    progress: Progress = lambda *_: None,
) -> tuple[CellVectors, NDArray[np.float16]]:
    """The cells of a run, computed once, and those of one sample, which need not be among them.

    They lie beside the run, at most `MOST_BYTES` and of one layer at a time; where nothing can be written there, in a
    file that ends with the process.

    Args:
        cuts: of the run; asked only where something is not known yet.
        row: of the sample.
        input_name: of the input that the map lies over; empty takes the first that is an image.
        layer: that makes the map; empty takes the last that all ways lead through.
        progress: is told what is looked for, how many are done, and of how many.

    Raises:
        LeaplabError: the model has no map, there is no such input or layer, the sample cannot be encoded, or the run's
            integration cannot be bound.
    """
    asked = {"input": input_name, "layer": layer}
    array_path = place_of(population.store, "cells", VERSION, asked).with_suffix(".float16")
    told_path = place_of(population.store, "cells told", VERSION, asked)
    known = None
    if array_path.exists() and told_path.exists():
        known = _opened(np.load(told_path), np.memmap(array_path, np.float16, "r"))
        own = known.of_row(row)
        if own is not None:
            return known, own
    try:
        order = cuts.of_region(SampleOrder(population.states[row], population.ids[row]), input_name, layer)
        (single,) = cuts.session.stream(CELLS, order)
        if not np.isfinite(single.values).all():
            raise MissingError(
                f"The cells of '{population.ids[row]}' hold NaN, infinity or what is too large for float16, so that"
                " nothing is near to them; name another layer."
            )
        if known is None:
            chosen = _chosen(population, single.values.nbytes)
            wanted = tuple(SampleOrder(population.states[each], population.ids[each]) for each in chosen)
            found = cuts.session.stream(CELLS, replace(order, samples=wanted))
            known = _written(
                array_path, told_path, population.samples, chosen, single, _counted(found, progress, len(chosen))
            )
    except DeadIntegrationError:
        cuts.close()
        raise
    return known, single.values[0]


def _chosen(population: "Population", size: int) -> list[int]:
    """All rows where their cells fit, else some, the same whatever the order of rows."""
    count = min(population.samples, MOST_BYTES // size)
    if count < 2:
        raise LeaplabError(
            f"The cells of one sample take {size / 2**20:,.0f} MiB, so that none can be kept to compare them; name a"
            " layer of fewer cells by --layer."
        )
    if count == population.samples:
        return list(range(count))
    keys = sorted(range(population.samples), key=lambda row: (population.states[row], population.ids[row]))
    places = np.random.default_rng(SEED).choice(len(keys), count, replace=False)
    return sorted(keys[place] for place in places)


def _counted(found: Iterator[Cells], progress: Progress, total: int) -> Iterator[Cells]:
    done = 0
    for each in found:
        yield each
        done += len(each.places)
        progress("cells like these", done, total)


def _written(
    array_path: Path, told_path: Path, samples: int, chosen: list[int], single: Cells, found: Iterator[Cells]
) -> CellVectors:
    """The vectors in a file beside the run; where none can be made there, in one that ends with the process."""
    try:
        array_path.parent.mkdir(parents=True, exist_ok=True)
        probe = array_path.with_suffix(".part")
        probe.touch()
        probe.unlink()
    except OSError:
        with tempfile.TemporaryFile() as kept:  # has no name, and stays while it is mapped
            told = _streamed(kept, samples, chosen, single, found)
            return _opened(told, np.memmap(kept, np.float16, "r"))
    with written_aside(array_path) as aside:
        with aside.open("wb") as file:
            told = _streamed(file, samples, chosen, single, found)
        for old in array_path.parent.glob("cells-*.float16"):  # of another layer, or of an earlier version
            old.unlink(missing_ok=True)
        write_array(told_path, told)
    return _opened(told, np.memmap(array_path, np.float16, "r"))


def _streamed(
    file: IO[bytes], samples: int, chosen: list[int], single: Cells, found: Iterator[Cells]
) -> NDArray[np.uint8]:
    """Write vectors as they come; what is to be known of them."""
    rows: list[int] = []
    for cells in found:
        finite = np.isfinite(cells.values).all(axis=(1, 2, 3))
        rows += [chosen[place] for place, is_finite in zip(cells.places, finite, strict=True) if is_finite]
        try:
            file.write(np.ascontiguousarray(cells.values[finite]).data)
            file.flush()
        except OSError as error:
            raise LeaplabError(f"The cells of the run cannot be kept: {error.strerror}; make room for them.") from error
    if not rows:
        raise LeaplabError(
            "No sample of the run has cells that are finite, so that nothing is near; name another layer."
        )
    shape = single.values.shape
    told = _Told(
        single.layer,
        single.input,
        single.height,
        single.width,
        (shape[1], shape[2], shape[3]),
        len(chosen) == samples,
        len(chosen) - len(rows),
    )
    return arrays_packed([np.frombuffer(msgspec.json.encode(told), np.uint8), np.array(rows, np.int64)])


def _opened(content: NDArray[np.uint8], flat: Any) -> CellVectors:
    text, rows = arrays_unpacked(content)
    told = msgspec.json.decode(text.tobytes(), type=_Told)
    values = flat.reshape(len(rows), *told.shape)
    return CellVectors(rows, values, told.layer, told.input, (told.height, told.width), told.whole, told.left_out)
