"""The routes of plans: each question as JSON, its answer as JSON or as a table."""

import asyncio
import threading
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from leaplab.explorer import planning_model as model
from leaplab.explorer.background import GoneError
from leaplab.explorer.calculating import Calculator
from leaplab.explorer.model import Model
from leaplab.explorer.planning import QUESTIONS, Question, Table, suggestions
from leaplab.explorer.responses import awaited, json_response
from leaplab.population.population import Population
from leaplab.store.csv_text import csv_text

NOBODY = HTTPException(499, "Nobody waits for this answer any more.")


def add_planning(app: FastAPI, api: str, population: Population, calculator: Calculator) -> None:
    """Let an application answer under `api` + `/plan`."""

    @app.get(f"{api}/plan/suggestions", response_model=model.Suggestions)
    def suggested() -> Response:
        """Populations that are worth comparing."""
        return json_response(suggestions(population))

    for name, question in QUESTIONS.items():
        _add(app, f"{api}/plan/{name}", population, calculator, name, question)


def _add(
    app: FastAPI, path: str, population: Population, calculator: Calculator, name: str, question: Question
) -> None:
    async def as_json(request: Request, asked: Any) -> Response:
        answer = await _awaited(request, calculator, name, asked)
        return json_response(await asyncio.to_thread(question.tell, population, answer, asked))

    async def as_table(request: Request, asked: Any) -> Response:
        answer = await _awaited(request, calculator, name, asked)
        return Response(await asyncio.to_thread(lambda: csv_text(answer.table())), media_type="text/csv")

    told = str(question.asked.__doc__)
    for each, title in ((as_json, name), (as_table, f"{name} table")):
        each.__annotations__["asked"] = Annotated[question.asked, Body()]
        each.__name__ = title.replace("-", "_").replace(" ", "_")
        each.__doc__ = told
    app.post(path, response_model=question.told)(as_json)
    app.post(f"{path}/table", responses={200: {"content": {"text/csv": {}}}}, response_class=Response)(as_table)


async def _awaited(request: Request, calculator: Calculator, name: str, asked: Model) -> Table:
    """The answer, unless who asked for it goes away meanwhile."""
    gone = threading.Event()
    waiting = asyncio.ensure_future(asyncio.to_thread(calculator.answer, name, asked, gone))
    try:
        answer: Table = await awaited(request, waiting, "answer")
        return answer
    except GoneError:
        raise NOBODY from None
    finally:
        calculator.leave(gone)
