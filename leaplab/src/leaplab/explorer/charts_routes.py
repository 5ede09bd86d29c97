"""The routes of charts and boards."""

from typing import Annotated

from fastapi import FastAPI, Query, Response

from leaplab.analysis.charting.chart import Chart
from leaplab.explorer import charts_model as model
from leaplab.explorer.charts import Charts
from leaplab.explorer.responses import json_response
from leaplab.explorer.selecting import Selector
from leaplab.population.boards import Board, Boards
from leaplab.population.population import Population
from leaplab.population.proposed_board import proposed_board
from leaplab.store.csv_text import csv_text

Name = Annotated[str, Query(min_length=1, max_length=1_000, description="A board.")]
Instead = Annotated[str | None, Query(max_length=1_000, description="The board whose place it takes; none adds it.")]


def add_charts(app: FastAPI, api: str, population: Population, selector: Selector) -> None:
    """Let an application answer under `api` + `/chart` and `/boards`."""
    charts = Charts(population, selector)

    @app.post(f"{api}/chart", response_model=Chart)
    def chart(asked: model.ChartAsked) -> Response:
        """A chart of the samples that meet a condition and filters."""
        return json_response(charts.chart(asked))

    @app.post(f"{api}/chart/table", responses={200: {"content": {"text/csv": {}}}}, response_class=Response)
    def table(asked: model.ChartAsked) -> Response:
        """Its numbers as a table."""
        return Response(csv_text(charts.chart(asked).table()), media_type="text/csv")

    @app.post(f"{api}/chart/rows", response_model=model.ChartRows)
    def rows(asked: model.ChartRowsAsked) -> Response:
        """The samples behind one of its marks."""
        return json_response(charts.rows(asked))

    @app.get(f"{api}/boards", response_model=list[Board])
    def boards() -> Response:
        """All boards that were kept."""
        return json_response(Boards(population.store.path).told())

    @app.get(f"{api}/boards/proposed", response_model=Board)
    def proposed() -> Response:
        """Charts to begin with."""
        return json_response(proposed_board(population))

    @app.put(f"{api}/boards", response_model=list[Board])
    def keep(asked: Board, name: Instead = None) -> Response:
        """Keep a board, which may take the place of one. Answers all boards."""
        return json_response(Boards(population.store.path).keep(asked, name))

    @app.delete(f"{api}/boards", response_model=list[Board])
    def delete(name: Name) -> Response:
        """Forget a board. Answers all boards."""
        return json_response(Boards(population.store.path).delete(name))
