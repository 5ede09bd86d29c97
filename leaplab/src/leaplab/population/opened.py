"""A run in a notebook or a script: `leaplab.open_run("mnist_cnn")`."""

import html
import importlib
import os
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.projection import METHODS
from leaplab.errors import LeaplabError
from leaplab.population.columns import Column
from leaplab.population.notebook import MAP_SIDE, Picture, drawn
from leaplab.population.population import Population, open_population
from leaplab.population.questions import Names, Questions
from leaplab.population.tags import members_of_tags
from leaplab.population.vectors import Vectors
from leaplab.store.catalog import find_run
from leaplab.store.columns import ID, STATE
from leaplab.store.remote import run_folder, runs_folder


class Run(Questions):
    """A run, to read from. Rows are numbered from 0, in one order throughout.

    Attributes:
        name: of the run's folder.
        path: of it; of a run at a URL, the folder of this machine's cache that stands for it.
        samples: their number.
        states: state -> number of samples.
        columns: name -> what the column is: type, kind, categories or range, direction, meaning.
        spaces: latent space -> width.
        notices: what to know before trusting a number of it.
        tags: name -> samples that a person gave it.
    """

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self.path = population.store.path
        self.name = self.path.name

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self._population.samples

    @property
    def states(self) -> dict[str, int]:
        """State -> number of samples."""
        return self._population.store.states

    @property
    def columns(self) -> dict[str, Column]:
        """Name -> what the column is."""
        return dict(self._population.columns)

    @property
    def spaces(self) -> dict[str, int]:
        """Latent space -> width."""
        return dict(self._population.spaces)

    @property
    def notices(self) -> list[str]:
        """What to know before trusting a number of the run."""
        return list(self._population.notices)

    @property
    def tags(self) -> dict[str, list[tuple[str, str]]]:
        """Name of a tag -> (state, id) of its samples, as they are now; those too that this evaluation lacks.

        `where("tag.NAME")` gives the rows of those that it has.

        Raises:
            LeaplabError: the run's notes are damaged.
        """
        return members_of_tags(self.path)

    @property
    def ids(self) -> list[str]:
        """Sample ids in row order; unique within a state only."""
        return list(self._population.ids)

    @overload
    def read(self, columns: str, where: str | None = None) -> NDArray[Any]: ...
    @overload
    def read(self, columns: Names, where: str | None = None) -> dict[str, NDArray[Any]]: ...
    def read(self, columns: str | Names, where: str | None = None) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """Values in row order, of all rows or of those that meet a condition.

        Args:
            columns: a name, or several; `sample_id` and `state` are names, too.
            where: see `where`.

        Returns:
            [n] for one name; name -> [n] for several. Numbers as float64 with NaN where absent, integers as int64 where
            none is; texts and truth values as objects with None where absent.

        Raises:
            LeaplabError: there is no such column, or `where` is no condition.
        """
        rows = slice(None) if where is None else self.where(where)
        if isinstance(columns, str):
            return self._values(columns)[rows]
        return {name: self._values(name)[rows] for name in columns}

    def frame(self, where: str | None = None) -> Any:
        """The samples as a pandas DataFrame, a column each; `sample_id` and `state` come first.

        Raises:
            LeaplabError: pandas is not installed, or `where` is no condition.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ModuleNotFoundError:
            raise LeaplabError(
                "run.frame() needs pandas, which is not installed here; install it, or take run.read([...])."
            ) from None
        names = [ID, STATE, *(name for name, column in self.columns.items() if column.group != "sample")]
        rows = np.arange(self.samples) if where is None else self.where(where)
        return pandas.DataFrame({name: self._values(name)[rows] for name in names}, index=rows)

    def vectors(self, space: str | None = None, where: str | None = None) -> Vectors:
        """The vectors of a latent space that are finite, with the rows that they are of.

        Args:
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.

        Raises:
            LeaplabError: there is no such space, or `where` is no condition.
        """
        vectors = self._population.vectors(space)
        if where is None:
            return vectors
        wanted = self.where(where)
        kept = np.isin(vectors.rows, wanted)
        return Vectors(vectors.rows[kept], vectors.values[kept], len(wanted) - int(kept.sum()))

    def map(self, space: str | None = None, method: str = METHODS[0]) -> NDArray[np.float32]:
        """[N, 2] within [-1, 1]: the latent space on a plane; NaN for rows without a finite vector.

        Raises:
            LeaplabError: there is no such space or method.
        """
        return self._population.map(space, method)

    def __repr__(self) -> str:
        counted = ", ".join(f"{count:,} {state}" for state, count in self.states.items())
        return f"<leaplab run '{self.name}': {self.samples:,} samples ({counted}), {len(self.columns)} columns>"

    def _repr_html_(self) -> str:
        columns = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(_told(column))}</td></tr>"
            for name, column in self.columns.items()
        )
        notices = "".join(f"<p>{html.escape(notice)}</p>" for notice in self.notices)
        picture = Picture(drawn(self.map()), MAP_SIDE, "The map of the samples").shown
        return (
            f"<b>{html.escape(self.name)}</b>: {html.escape(repr(self)[1:-1])}{notices}"
            f'<div style="display:flex;gap:2em">{picture}<table>{columns}</table></div>'
        )

    def _values(self, name: str) -> NDArray[Any]:
        if name == ID:
            return np.array(self._population.ids, object)
        if name == STATE:
            return np.array(self._population.states, object)
        return self._population.values(name)


def open_run(run: str | os.PathLike[str] | None = None, runs: str | os.PathLike[str] = "runs") -> Run:
    """Open a run to read from.

    Args:
        run: its name, its folder, or a URL that fsspec opens, as in s3://BUCKET/RUNS/NAME; None takes the newest.
        runs: folder of all runs, or its URL.

    Raises:
        LeaplabError: there is no such run, or it is incomplete; or its URL cannot be reached.
    """
    return Run(open_population(find_run(runs_folder(runs), None if run is None else run_folder(run))))


def _told(column: Column) -> str:
    meaning = f", {column.meaning}" if isinstance(column.meaning, str) else ""
    if isinstance(column.categories, list):
        return f"{len(column.categories)} categories{meaning}"
    if isinstance(column.min, float) and isinstance(column.max, float):
        return f"{column.min:.4g} to {column.max:.4g}{meaning}"
    return f"{column.kind}{meaning}"
