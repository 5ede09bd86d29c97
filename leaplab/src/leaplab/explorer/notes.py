"""The routes of what a person adds to a run. Nothing of it is kept by a browser: somebody else may change it."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path, Query, Response
from msgspec.structs import asdict
from numpy.typing import NDArray

from leaplab.errors import QuestionError
from leaplab.explorer import notes_model as model
from leaplab.explorer.masks import rows_of_mask
from leaplab.population.insight_notes import insight_notes, note_insight
from leaplab.population.population import Population
from leaplab.population.tags import Tag
from leaplab.store.notes import InsightNote

Name = Annotated[str, Query(min_length=1, max_length=1_000, description="A tag.")]


def notes_routes(population: Population) -> APIRouter:
    """Tags, and status and note of insights.

    Args:
        population: the run.
    """
    routes = APIRouter(dependencies=[Depends(_not_kept)])

    @routes.get("/tags", response_model=list[model.Tag])
    def tags() -> list[dict[str, Any]]:
        """All tags, by name."""
        return _told(population.tags.told())

    @routes.post("/tags", response_model=list[model.Tag])
    def tag(asked: model.Tagging) -> list[dict[str, Any]]:
        """Give samples a tag, which begins to exist where it did not, or take it from them. Answers all tags."""
        change = population.tags.add if asked.change == "add" else population.tags.remove
        return _told(change(asked.name, _rows_of(population, asked)))

    @routes.put("/tags", response_model=list[model.Tag])
    def rename(name: Name, asked: model.Naming) -> list[dict[str, Any]]:
        """Give a tag another name. Answers all tags."""
        return _told(population.tags.rename(name, asked.name))

    @routes.delete("/tags", response_model=list[model.Tag])
    def delete(name: Name) -> list[dict[str, Any]]:
        """Forget a tag; its samples stay. Answers all tags."""
        return _told(population.tags.delete(name))

    @routes.get("/tags/rows", responses={200: {"content": {"application/octet-stream": {}}}}, response_class=Response)
    def rows(name: Name) -> Response:
        """The rows of a tag's samples that are in the run, four bytes each, little endian."""
        content = population.tags.rows(name).astype("<u4").tobytes()
        return Response(content, media_type="application/octet-stream")

    @routes.get("/samples/{row}/tags", response_model=list[str])
    def tags_of_sample(row: int) -> list[str]:
        """The names of a sample's tags."""
        return population.tags.of(row)

    @routes.get("/notes/insights", response_model=list[model.InsightNote])
    def notes() -> list[dict[str, Any]]:
        """What was said of insights, of those too that are not found any more."""
        return [_noted(name, note) for name, note in insight_notes(population.store.path).items()]

    @routes.patch("/notes/insights/{stable_id}", response_model=model.InsightNote)
    def note(stable_id: Annotated[str, Path(max_length=100)], asked: model.Noting) -> dict[str, Any]:
        """Give an insight a status or a note."""
        said = note_insight(population.store.path, stable_id, asked.status, asked.note)
        return _noted(stable_id, said)

    return routes


def _not_kept(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _told(tags: list[Tag]) -> list[dict[str, Any]]:
    return [asdict(each) for each in tags]


def _noted(stable_id: str, note: InsightNote) -> dict[str, Any]:
    return {"stable_id": stable_id, **asdict(note)}


def _rows_of(population: Population, asked: model.Tagging) -> list[int] | NDArray[np.int64]:
    if (asked.mask is None) == (asked.rows is None):
        raise QuestionError("Say which samples by `mask` or by `rows`, and not by both.")
    if asked.mask is not None:
        return np.flatnonzero(rows_of_mask(asked.mask, population.samples))
    return asked.rows or []
