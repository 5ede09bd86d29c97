"""The routes. Each asks one function and maps its `LeaplabError` to a status; nothing is computed here."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

from leaplab.analysis.projection import METHODS
from leaplab.errors import LeaplabError
from leaplab.explorer.population import CLUSTER_COLUMN, STATE_COLUMN, Column, Population
from leaplab.explorer.samples import Visualizers, details
from leaplab.store.run import RunStore

WEB = Path(__file__).with_name("web") / "dist"


def make_application(store: RunStore, web: Path = WEB, hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> FastAPI:
    """The explorer of one run.

    Args:
        store: the run.
        web: the built page.
        hosts: names by which a browser may address the server; a foreign page cannot reach it by a name of its own.

    Raises:
        LeaplabError: the page is not built.
    """
    if not (web / "index.html").exists():
        raise LeaplabError(
            f"The explorer's page is not built ({web} is missing); run `make web` in leaplab's repository."
        )
    population = Population(store)
    visualizers = Visualizers(population)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        visualizers.start()
        threading.Thread(target=population.prepare, name="map", daemon=True).start()
        yield
        visualizers.close()

    app = FastAPI(title="leaplab explorer", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=1)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @app.exception_handler(LeaplabError)
    def told(_: Request, error: LeaplabError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=404)

    # Functions without `async` run in worker threads: a map that takes half a minute blocks nobody.
    @app.get("/api/run")
    def run() -> Response:
        return Response(msgspec.json.encode(_overview(population)), media_type="application/json")

    @app.get("/api/columns/{name}")
    def column(name: str) -> Response:
        return Response(population.column_bytes(name), media_type="application/octet-stream")

    @app.get("/api/projection")
    def projection(space: str, method: str) -> Response:
        return Response(population.points(space, method), media_type="application/octet-stream")

    @app.get("/api/ids")
    def ids() -> PlainTextResponse:
        return PlainTextResponse("\n".join(population.ids))

    @app.get("/api/samples/{row}")
    def sample(row: int) -> JSONResponse:
        return JSONResponse(details(population, row))

    @app.get("/api/samples/{row}/visuals")
    def visuals(row: int) -> JSONResponse:
        return JSONResponse(visualizers.of(row))

    app.mount("/", StaticFiles(directory=web, html=True))
    return app


def _overview(population: Population) -> dict[str, Any]:
    manifest = population.store.manifest
    columns = list(population.columns.values())
    return {
        "name": population.store.path.name,
        "integration": Path(manifest.integration).name,
        "model": manifest.model,
        "samples": population.store.samples,
        "notice": " ".join(manifest.notices) or None,
        "states": [{"name": state, "count": count} for state, count in manifest.states.items()],
        "columns": columns,
        "instance_columns": population.instance_columns,
        "latent_spaces": [{"name": name, "width": width} for name, width in population.spaces.items()],
        "projections": list(METHODS),
        "defaults": {
            "colour": _default_colour(columns),
            "size": next((column.name for column in columns if column.group == "loss"), None),
            "space": next(iter(population.spaces), None),
            "projection": METHODS[0],
        },
    }


def _default_colour(columns: list[Column]) -> str:
    """The label where there is one, else the first categorical metadata, else the clusters or the state."""
    categorical = [c for c in columns if c.kind == "categorical" and c.group == "metadata"]
    telling = [c for c in categorical if isinstance(c.categories, list) and len(c.categories) > 1]
    labels = [c for c in telling if c.label in ("label", "class", "class_name", "category")]
    if labels or telling:
        return (labels or telling)[0].name
    names = {c.name for c in columns}
    return CLUSTER_COLUMN if CLUSTER_COLUMN in names else STATE_COLUMN
