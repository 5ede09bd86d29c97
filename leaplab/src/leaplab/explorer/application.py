"""The routes. Each asks one function and maps its `LeaplabError` to a status; nothing is computed here."""

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from leaplab.errors import DeadIntegrationError, IntegrationError, LeaplabError, MissingError, QuestionError
from leaplab.explorer import model
from leaplab.explorer.answers import exact_values, find, ids_page, key_of, overview, summary
from leaplab.explorer.background import Background
from leaplab.explorer.calculating import Calculator
from leaplab.explorer.charts_routes import add_charts
from leaplab.explorer.findings import Findings
from leaplab.explorer.guard import Guard
from leaplab.explorer.headline import headline
from leaplab.explorer.heatmaps import PanelHeatmaps
from leaplab.explorer.listing import json_of, near, table_of
from leaplab.explorer.maps import Maps
from leaplab.explorer.notes import notes_routes
from leaplab.explorer.objects import add_object_routes
from leaplab.explorer.painting import Mapped, order_of, painted_column, painted_map
from leaplab.explorer.pictures import OUTLINES, PANEL, THUMBNAIL, Pictures
from leaplab.explorer.planning_routes import add_planning
from leaplab.explorer.problems import MEDIA_TYPE, problem
from leaplab.explorer.progress import Board
from leaplab.explorer.regions import region_routes
from leaplab.explorer.responses import awaited, json_response
from leaplab.explorer.samples import details
from leaplab.explorer.selecting import Selector
from leaplab.explorer.verdict import Judge
from leaplab.population.population import Population
from leaplab.store.columns import ANALYSIS, group_of
from leaplab.store.run import RunStore

STATUSES = {MissingError: 404, QuestionError: 422, IntegrationError: 503, DeadIntegrationError: 503}
"""What an error means to a browser; any other is the run's own, 500."""
WEB = Path(__file__).with_name("web") / "dist"
API = "/api/v1"
FOR_EVER = "private, max-age=31536000, immutable"
ASK_FIRST = "private, no-cache"
Name = Annotated[str, Query(description="A column.")]
Of = Annotated[Literal["samples", "objects"], Query(description="Whose: the samples', or their element instances'.")]
Key = Annotated[
    str | None, Query(description="The run's key: another run refuses, and what does not change may be kept for ever.")
]


def make_application(
    store: RunStore,
    web: Path = WEB,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1"),
    token: str | None = None,
) -> FastAPI:
    """The explorer of one run.

    Args:
        store: the run.
        web: the built page.
        hosts: names by which a browser may address the server; a foreign page cannot reach it by a name of its own.
        token: that a browser has to know; None where none is needed.

    Raises:
        LeaplabError: the page is not built.
    """
    if not (web / "index.html").exists():
        raise LeaplabError(
            f"The explorer's page is not built ({web} is missing); run `make web` in leaplab's repository."
        )
    population = Population(store)
    background, board = Background(population), Board()
    pictures, heatmaps = Pictures(population), PanelHeatmaps(population, board)
    maps, findings = Maps(population, background, board), Findings(population, background, board)
    calculator = Calculator(population, background)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        board.open()
        background.open()
        # The first chart would wait for this.
        threading.Thread(target=importlib.import_module, args=("scipy.special",), daemon=True).start()
        pictures.start()
        maps.start()
        yield
        board.close()
        background.close()
        pictures.close()
        heatmaps.close()

    app = _application(population, pictures, maps, findings, heatmaps, board, lifespan)
    add_planning(app, API, population, calculator)
    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=1)
    app.add_middleware(Guard, hosts=hosts, token=token)
    app.mount("/", StaticFiles(directory=web, html=True))
    return app


def openapi_document() -> dict[str, Any]:
    """What the server is asked and what it answers, of any run; the page's types are made of it."""
    # No route is asked: none needs a run.
    nothing: Any = SimpleNamespace(objects=None)
    app = _application(nothing, nothing, nothing, nothing, nothing, nothing, None)
    add_planning(app, API, nothing, nothing)
    return app.openapi()


def _application(
    population: Population,
    pictures: Pictures,
    maps: Maps,
    findings: Findings,
    heatmaps: PanelHeatmaps,
    board: Board,
    lifespan: Any,
) -> FastAPI:
    def require_run(key: Key = None) -> None:
        if key is not None and key != key_of(population):
            raise HTTPException(409, "Another run answers at this address now; reload the page.")

    app = FastAPI(
        title="leaplab explorer",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        lifespan=lifespan,
        dependencies=[Depends(require_run)],
    )
    _tell_problems(app)
    _add_routes(app, population, maps, findings, pictures)
    _add_pictures(app, population, pictures)
    app.include_router(notes_routes(population), prefix=API)
    app.include_router(region_routes(heatmaps), prefix=API)

    @app.get(f"{API}/samples/{{row}}/heatmap", response_model=model.Heatmap)
    def heatmap(row: int, of: Annotated[str, Query(max_length=1000)] = "loss") -> Response:
        """What raises and what lowers the loss, a class, a metric or a detection of a sample."""
        return json_response(heatmaps.of(row, of))

    @app.get(f"{API}/events", responses={200: {"content": {"text/event-stream": {}}, "model": model.Progress}})
    async def events() -> StreamingResponse:
        """What is being computed, as events, until nothing is."""
        return StreamingResponse(_as_events(board), media_type="text/event-stream")

    documented = app.openapi
    app.openapi = lambda: _with_problems(documented())  # type: ignore[method-assign]
    return app


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what FastAPI does not know of: every problem comes as `leaplab.explorer.problems` has it."""
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = model.Problem.model_json_schema()
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            for status, told in (("4XX", "What was asked cannot be answered."), ("5XX", "The run cannot be read.")):
                operation["responses"][status] = {"description": told, "content": content}
    return document


def _add_routes(app: FastAPI, population: Population, maps: Maps, findings: Findings, pictures: Pictures) -> None:
    """What the run holds. Functions without `async` run in threads: a map that takes half a minute blocks nobody."""
    raw: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}

    def kept(request: Request, content: bytes, media_type: str, key: str | None, changes: bool = False) -> Response:
        return _kept(request, content, media_type, key, key_of(population), changes)

    objects = population.objects
    add_object_routes(app, API, objects, pictures, kept, _awaited)

    def table(of: Of) -> Mapped:
        return objects if of == "objects" else population

    @app.get(f"{API}/run", response_model=model.Run)
    def run(request: Request) -> Response:
        """The run, its columns, and what the page opens with."""
        return kept(request, msgspec.json.encode(overview(population, objects)), "application/json", None)

    @app.get(f"{API}/headline", response_model=model.Headline | None)
    def first_sight(request: Request, key: Key = None) -> Response:
        """How good the model is; null where the run has no score."""
        return kept(request, msgspec.json.encode(headline(population)), "application/json", key)

    judge = Judge(population)

    @app.get(f"{API}/insights", response_model=model.Insights)
    def insights(request: Request, key: Key = None) -> Response:
        """What is wrong; where it has to be looked for, this takes its time."""
        return kept(request, msgspec.json.encode(findings.told()), "application/json", key, changes=True)

    @app.get(f"{API}/insights/{{name}}/rows", responses=raw, response_class=Response)
    def members(request: Request, name: str, key: Key = None) -> Response:
        """The rows of an insight's members, four bytes each, little endian."""
        return kept(request, findings.rows(name), "application/octet-stream", key, changes=True)

    @app.get(f"{API}/columns/codes", responses=raw, response_class=Response)
    def codes(request: Request, name: Name, of: Of = "samples", key: Key = None) -> Response:
        """A column as it is painted: a byte or two a sample, little endian."""
        content = painted_column(table(of), name)
        return kept(request, content, "application/octet-stream", key, group_of(name) == ANALYSIS)

    @app.get(f"{API}/columns/summary", response_model=model.Summary)
    def summed(request: Request, name: Name, of: Of = "samples", key: Key = None) -> Response:
        """A column in short: its scale and histogram, or the counts of its categories."""
        content = msgspec.json.encode(summary(table(of), name))
        return kept(request, content, "application/json", key, group_of(name) == ANALYSIS)

    @app.get(f"{API}/columns/order", responses=raw, response_class=Response)
    def order(request: Request, name: Name, descending: bool = False, of: Of = "samples", key: Key = None) -> Response:
        """All rows by a column's exact values, four bytes each, little endian; those without a value last."""
        content = order_of(table(of), name, descending)
        return kept(request, content, "application/octet-stream", key, group_of(name) == ANALYSIS)

    @app.get(f"{API}/columns/values", response_model=list[Any])
    def values(name: Name, rows: Annotated[list[int], Query()]) -> Response:
        """The exact values of some rows."""
        return json_response(exact_values(population, name, rows))

    @app.get(f"{API}/map", responses=raw, response_class=Response)
    def projection(request: Request, space: str, method: str, of: Of = "samples", key: Key = None) -> Response:
        """x0 y0 x1 y1 ..., two bytes each, little endian: 0 is -1, 65,534 is 1, and 65,535 no place."""
        if of == "samples":
            maps.require(space or None, method)
        return kept(request, painted_map(table(of), space, method), "application/octet-stream", key)

    @app.get(f"{API}/ids", response_model=model.Ids)
    def ids(
        request: Request,
        start: Annotated[int, Query(ge=0)] = 0,
        count: Annotated[int, Query(ge=1, le=100_000)] = 10_000,
        key: Key = None,
    ) -> Response:
        """Ids from a row on."""
        return kept(request, msgspec.json.encode(ids_page(population, start, count)), "application/json", key)

    @app.get(f"{API}/find", response_model=model.Found)
    def found(text: Annotated[str, Query(min_length=1, max_length=1000)]) -> Response:
        """The row of a sample whose id is, or holds, a text."""
        return json_response(find(population, text))

    selector = Selector(population)
    add_charts(app, API, population, selector)

    @app.post(f"{API}/select", response_model=model.Selected)
    def selected(asked: model.Selecting) -> Response:
        """The samples that meet a condition and filters, with histograms of the others."""
        return json_response(selector.select(asked))

    @app.post(
        f"{API}/export",
        responses={200: {"content": {"text/csv": {}, "application/json": {}}}},
        response_class=Response,
    )
    def export(asked: model.Exporting) -> Response:
        """Ids, states and all columns of some samples."""
        if asked.format == "json":
            return Response(json_of(population, asked.mask), media_type="application/json")
        return Response(table_of(population, asked.mask), media_type="text/csv")

    @app.get(f"{API}/samples/{{row}}/similar", response_model=list[model.Near])
    def similar(row: int, count: Annotated[int, Query(ge=1, le=100)] = 12, space: str | None = None) -> Response:
        """The samples nearest to one."""
        return json_response(near(population, row, count, space))

    @app.get(f"{API}/samples/{{row}}", response_model=model.Sample)
    def sample(row: int) -> Response:
        """What the run holds of a sample."""
        return json_response(details(population, judge, row))


def _add_pictures(app: FastAPI, population: Population, pictures: Pictures) -> None:
    @app.get(f"{API}/samples/{{row}}/visuals", response_model=model.Panel)
    async def visuals(request: Request, row: int) -> Response:
        """What the integration's visualizers make of a sample."""
        return json_response(await _awaited(request, pictures, PANEL, row, pictures.panel(row)))

    @app.get(f"{API}/samples/{{row}}/outlines", response_model=list[model.Outline])
    async def outlines(request: Request, row: int) -> Response:
        """Where the element instances of a sample lie; one whose mask is empty is left out."""
        return json_response(await _awaited(request, pictures, OUTLINES, row, pictures.outlines(row)))

    @app.get(
        f"{API}/samples/{{row}}/thumbnail", responses={200: {"content": {"image/webp": {}}}}, response_class=Response
    )
    async def thumbnail(request: Request, row: int, key: Key = None) -> Response:
        """A small picture of a sample."""
        content = await _awaited(request, pictures, THUMBNAIL, row, pictures.thumbnail(row))
        return _kept(request, content, "image/webp", key, key_of(population), False)


async def _awaited(request: Request, pictures: Pictures, kind: str, row: int, drawn: "Future[Any]") -> Any:
    """What is drawn, unless who asked for it goes away meanwhile."""
    try:
        return await awaited(request, asyncio.wrap_future(drawn), "picture")
    except (asyncio.CancelledError, CancelledError):
        raise IntegrationError("The picture is not drawn any more.") from None
    finally:
        pictures.forget(kind, row)


async def _as_events(board: Board) -> AsyncIterator[str]:
    async for progress in board.events():
        yield f"event: progress\ndata: {progress.model_dump_json()}\n\n"


def _tell_problems(app: FastAPI) -> None:
    @app.exception_handler(LeaplabError)
    def refused(_: Request, error: LeaplabError) -> Response:
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
        return problem(status, str(error))

    @app.exception_handler(RequestValidationError)
    def misunderstood(_: Request, error: RequestValidationError) -> Response:
        asked = error.errors()[0]
        where = ".".join(str(part) for part in asked["loc"][1:])
        return problem(422, f"{where}: {asked['msg']}.")

    @app.exception_handler(HTTPException)
    def unknown(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code if error.status_code != 499 else 503, str(error.detail))


def _kept(request: Request, content: bytes, media_type: str, key: str | None, own: str, changes: bool) -> Response:
    """An answer that a browser may keep: for ever where its address holds the run's key, else if it is still the same.

    Args:
        changes: whether the same run may answer otherwise later.
    """
    tag = f'"{own}-{sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": FOR_EVER if key is not None and not changes else ASK_FIRST}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
