"""The routes. Each asks one function and maps its `LeaplabError` to a status; nothing is computed here."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from leaplab.errors import IntegrationError, LeaplabError, MissingError, QuestionError
from leaplab.explorer.answers import column_bytes, map_bytes, overview, prepare
from leaplab.explorer.samples import Visualizers, details
from leaplab.population.population import Population
from leaplab.store.run import RunStore

STATUSES = {MissingError: 404, QuestionError: 422, IntegrationError: 503}
"""What an error means to a browser; any other is the run's own, 500."""
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
        threading.Thread(target=prepare, args=(population,), name="map", daemon=True).start()
        yield
        visualizers.close()

    app = FastAPI(title="leaplab explorer", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=1)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @app.exception_handler(LeaplabError)
    def refused(_: Request, error: LeaplabError) -> JSONResponse:
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
        return JSONResponse({"error": str(error)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    def misunderstood(_: Request, error: RequestValidationError) -> JSONResponse:
        asked = error.errors()[0]
        where = ".".join(str(part) for part in asked["loc"][1:])
        return JSONResponse({"error": f"{where}: {asked['msg']}."}, status_code=422)

    # Functions without `async` run in worker threads: a map that takes half a minute blocks nobody.
    @app.get("/api/run")
    def run() -> Response:
        return _json(overview(population))

    @app.get("/api/columns/{name:path}")  # names are free text, slashes too
    def column(name: str) -> Response:
        return _binary(column_bytes(population, name))

    @app.get("/api/projection")
    def projection(space: str, method: str) -> Response:
        return _binary(map_bytes(population, space, method))

    @app.get("/api/ids")
    def ids() -> Response:
        return _json(population.ids)

    @app.get("/api/samples/{row}")
    def sample(row: int) -> Response:
        return _json(details(population, row))

    @app.get("/api/samples/{row}/visuals")
    def visuals(row: int) -> Response:
        return _json(visualizers.of(row))

    app.mount("/", StaticFiles(directory=web, html=True))
    return app


def _json(value: Any) -> Response:
    # What is not finite is null: JSON has no word for it.
    return Response(msgspec.json.encode(value), media_type="application/json")


def _binary(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream")
