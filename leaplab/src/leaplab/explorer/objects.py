"""The routes of the element instances, which the page calls objects."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Query, Request, Response

from leaplab.explorer.pictures import CROPS, Pictures
from leaplab.population.objects import Objects

Kept = Callable[[Request, bytes, str, str | None], Response]
"""Makes the answer of a content, its media type and the run's key, that a browser may keep."""
Waits = Callable[[Request, Pictures, str, int, Any], Awaitable[Any]]


def object_rows(objects: Objects) -> bytes:
    """row0 number0 row1 number1 ...: whose each object is, four bytes each, little endian."""
    return np.stack([objects.rows, objects.numbers], axis=1).astype("<u4").tobytes()


def add_object_routes(app: FastAPI, api: str, objects: Objects, pictures: Pictures, kept: Kept, waits: Waits) -> None:
    """Add what is asked of the objects alone; their columns and maps are those of the samples with `of=objects`.

    Args:
        api: how the addresses begin.
        kept: makes answers that a browser may keep.
        waits: for a picture, unless who asked for it goes away.
    """
    raw: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
    key_of_run = Annotated[str | None, Query(description="The run's key.")]

    @app.get(f"{api}/objects/rows", responses=raw, response_class=Response)
    def rows(request: Request, key: key_of_run = None) -> Response:
        """The row of each object's sample and its number in it, four bytes each, little endian."""
        return kept(request, object_rows(objects), "application/octet-stream", key)

    @app.get(
        f"{api}/objects/{{index}}/thumbnail", responses={200: {"content": {"image/webp": {}}}}, response_class=Response
    )
    async def thumbnail(request: Request, index: int, key: key_of_run = None) -> Response:
        """A small picture of an object, cut out of its sample's."""
        objects.require(index)
        row, number = int(objects.rows[index]), int(objects.numbers[index])
        content = await waits(request, pictures, CROPS, row, pictures.crop(row, number))
        return kept(request, content, "image/webp", key)
