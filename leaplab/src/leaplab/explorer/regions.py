"""What is like a region of the open sample: its route, and the forms of what is asked and told."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import Field

from leaplab.explorer.heatmaps import PanelHeatmaps
from leaplab.explorer.model import Model
from leaplab.explorer.responses import json_response

Share = Annotated[float, Field(ge=0, le=1)]
Sides = tuple[Share, Share, Share, Share]
MOST = 100


class RegionAsked(Model):
    """What looks to the model like a region of a sample: left, top, right and bottom, in shares of its sides."""

    region: Sides
    count: int = Field(default=12, ge=1, le=MOST)


class SimilarPlace(Model):
    """A sample, the place in it that is nearest to the region, in shares of its sides, and how far that is."""

    row: int
    sample_id: str
    state: str
    distance: float
    place: Sides


class SimilarPlaces(Model):
    """The nearest first. `region` is what stands for the region that was asked for: whole cells of the model's map."""

    layer: str
    input: str
    region: Sides
    size: tuple[int, int]
    searched: int
    similar: list[SimilarPlace]
    notices: list[str]


def region_routes(heatmaps: PanelHeatmaps) -> APIRouter:
    """Asks in the process that draws heat-maps, which has the model."""
    router = APIRouter()

    @router.post("/samples/{row}/similar-region", response_model=SimilarPlaces)
    def similar_region(row: int, asked: Annotated[RegionAsked, Body()]) -> Response:
        """Samples in which some place looks to the model like a region of one; the first answer of a run takes long."""
        found = heatmaps.similar_to_region(row, asked.region, asked.count)
        height, width = found.size

        def in_shares(box: tuple[float, float, float, float]) -> tuple[float, ...]:
            return box[0] / width, box[1] / height, box[2] / width, box[3] / height

        told = {
            "layer": found.space,
            "input": found.input,
            "region": in_shares(found.region),
            "size": (width, height),
            "searched": found.searched,
            "similar": [
                {
                    "row": each.row,
                    "sample_id": each.sample_id,
                    "state": each.state,
                    "distance": each.distance,
                    "place": in_shares(each.box),
                }
                for each in found.similar
            ],
            "notices": list(found.notices),
        }
        return json_response(told)

    return router
