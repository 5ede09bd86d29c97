"""Charts of columns that hold nothing, one value, or a million, and questions that make no sense: a sentence each."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Chart
from leaplab.errors import MissingError, QuestionError
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import KINDS, chart_of
from leaplab.population.columns import Column
from leaplab.population.computed import ComputedColumn
from leaplab.population.population import Population, open_population
from leaplab.population.tables import category_codes
from tests.leaplab.population.charted_runs import write_charted
from tests.leaplab.runs_by_hand import write_run

near: Any = pytest.approx
ASKED: dict[str, list[dict[str, Any]]] = {
    "bar": [{"x": "{}"}, {"x": "metadata.kind", "y": "{}"}, {"x": "metadata.kind", "split": "{}"}],
    "line": [{"x": "{}"}, {"x": "metadata.size", "y": "{}"}],
    "scatter": [{"x": "{}", "y": "loss.a"}, {"x": "loss.a", "y": "{}"}, {"x": "{}", "y": "{}"}],
    "histogram": [{"x": "{}"}, {"x": "{}", "aggregate": "share"}, {"x": "metadata.size", "split": "{}"}],
    "box": [{"y": "{}"}, {"y": "loss.a", "x": "{}"}],
    "heatmap": [{"x": "{}", "y": "{}"}, {"x": "metadata.kind", "y": "metadata.size", "value": "{}"}],
    "group-means": [
        {"x": "{}", "y": "loss.a", "split": "metadata.kind"},
        {"x": "loss.a", "y": "loss.a", "split": "{}"},
    ],
    "correlation": [{"y": "{}"}, {"x": "{}", "y": "loss.a"}, {}],
}
QUESTIONS = [ChartQuestion(kind, **asked) for kind, each in ASKED.items() for asked in each]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Population:
    return open_population(write_charted(tmp_path_factory.mktemp("runs") / "charted", 300, 5))


def of_column(question: ChartQuestion, column: str) -> ChartQuestion:
    named: dict[str, Any] = {
        name: value.format(column) if isinstance(value := getattr(question, name), str) else value
        for name in ("x", "y", "split", "value")
    }
    return ChartQuestion(question.kind, aggregate=question.aggregate, **named)


def answered(run: Population, question: ChartQuestion, among: NDArray[np.int64] | None) -> Chart | str:
    try:
        return chart_of(run, question, among)
    except QuestionError as error:
        return str(error)


def sound(chart: Chart) -> None:
    """What holds of any chart."""
    assert chart.told
    assert chart.told.count(". ") == 0
    assert chart.told[-1] in ".:"
    assert chart.count + chart.absent >= 0
    for group in chart.groups:
        for number in (group.value, group.low, group.high, group.x_low, group.x_high, *(group.box or ())):
            assert number is None or np.isfinite(number)
        if group.low is not None and group.high is not None and group.value is not None:
            assert group.low <= group.value <= group.high
    chart.table()


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize("rows", ["all", "none", "one"])
def test_any_chart_of_any_column_is_sound_or_refused_in_a_sentence(
    run: Population, question: ChartQuestion, rows: str
) -> None:
    among = {"all": None, "none": np.zeros(0, np.int64), "one": np.array([3])}[rows]
    for column in run.columns:
        chart = answered(run, of_column(question, column), among)
        if isinstance(chart, str):
            assert chart.endswith(".")
            continue
        sound(chart)
        if rows == "none":
            assert chart.groups == []
            assert chart.told == "There are no samples to draw: none meets the condition."


@pytest.mark.parametrize("kind", ["bar", "histogram", "line"])
def test_a_column_that_is_empty_says_so(run: Population, kind: str) -> None:
    chart = chart_of(run, ChartQuestion(kind, "metadata.empty"))

    assert (chart.groups, chart.count, chart.absent, chart.notices) == ([], 0, 300, [])
    assert chart.told == "None of these 300 samples has a finite value of 'metadata.empty'."
    texts = chart_of(run, ChartQuestion("bar", "metadata.nothing"))
    assert (texts.groups, texts.told) == ([], "None of these 300 samples has a finite value of 'metadata.nothing'.")


def test_a_column_of_one_value(run: Population) -> None:
    bins = chart_of(run, ChartQuestion("histogram", "metadata.same"))
    points = chart_of(run, ChartQuestion("scatter", "metadata.same", "metric.hit"))
    table = chart_of(run, ChartQuestion("correlation", y="metadata.same"))

    assert [(group.count, group.x) for group in bins.groups] == [(300, near(0.1))]
    assert bins.told == "All 300 samples have the same same, 0.1."
    assert points.correlation is points.correlation_low is points.rank_correlation is None
    assert "one of both has a single value" in points.told
    assert (table.groups, table.correlation) == ([], None)
    assert "nothing correlates" in table.told


def test_states_without_common_columns_are_named(run: Population) -> None:
    chart = chart_of(run, ChartQuestion("scatter", "metadata.of_training", "metadata.of_validation"))

    assert chart.points is not None
    assert (chart.count, chart.points.rows, chart.groups) == (0, [], [])
    assert "'metadata.of_training' is of training; 'metadata.of_validation' is of validation" in chart.told
    means = chart_of(
        run, ChartQuestion("group-means", "metadata.of_training", "metadata.of_validation", "metadata.kind")
    )
    assert means.told == chart.told.replace(
        "of validation.", f"of validation; 'metadata.kind' is of {', '.join(sorted(set(run.states)))}."
    )


def test_a_million_different_texts(tmp_path: Path) -> None:
    """Not through files: reading them is another matter."""
    count = 1_000_000

    class Texts:
        columns: ClassVar = {"t": Column("t", "t", "metadata", "string", "text")}

        def column(self, name: str) -> Column:
            return self.columns[name]

        def values(self, name: str) -> Any:
            return texts

    from leaplab.population.chart_question import Charted
    from leaplab.population.column_charts import bar

    texts = np.array([f"text {each}" for each in range(count)], object)
    run: Any = None
    chart = bar(Charted(run, Texts(), np.arange(count), ChartQuestion("bar", "t", split="t")))

    assert len(chart.series) == 12
    assert chart.count == count
    assert "the 30 of most samples are drawn; the other 999,970 have 999,970 samples" in chart.notices[0]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (ChartQuestion("pie"), "There is no chart 'pie'; there are bar, line"),
        (ChartQuestion("bar"), "takes x; name x"),
        (ChartQuestion("scatter", "loss.a"), "takes x and y; name y"),
        (ChartQuestion("histogram", "loss.a", "metric.hit"), "takes no y; it takes x, split"),
        (ChartQuestion("bar", "metadata.kind", threshold=0.5), "takes no threshold"),
        (ChartQuestion("bar", "metadata.kind", "metadata.kind"), "'metadata.kind' holds categories"),
        (ChartQuestion("scatter", "metadata.kind", "loss.a"), "name a column of numbers"),
        (ChartQuestion("bar", "metadata.kind", split="loss.a"), "'loss.a' is a number"),
        (ChartQuestion("group-means", "loss.a", "loss.a", "loss.a"), "'loss.a' is a number"),
        (ChartQuestion("bar", "metadata.kind", aggregate="mean"), "nothing that `mean` could be of"),
        (ChartQuestion("heatmap", "metadata.kind", "metadata.label", aggregate="max"), "as value"),
        (ChartQuestion("bar", "metadata.kind", "loss.a", aggregate="share"), "not 0 and 1"),
        (ChartQuestion("bar", "metadata.kind", "loss.a", aggregate="quantile:7"), "no aggregate 'quantile:7'"),
        (ChartQuestion("histogram", "loss.a", aggregate="mean"), "`count` or `share`"),
        (ChartQuestion("histogram", "loss.a", bins=0), "1 to 1,000 bins, not 0"),
        (ChartQuestion("histogram", "loss.a", bins=100_000), "not 100,000"),
        (ChartQuestion("bar", "metadata.kind", bins=4), "leave the bins out"),
        (ChartQuestion("line", "metadata.kind"), "no order that a line could follow"),
        (ChartQuestion("line", "metadata.label"), "no order"),
        (ChartQuestion("bar", "metadata.kind", of="objects"), "no element instances"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_question_that_makes_no_sense_is_answered_in_a_sentence(
    run: Population, question: ChartQuestion, says: str
) -> None:
    with pytest.raises(QuestionError) as raised:
        chart_of(run, question)
    assert says in str(raised.value)


@pytest.mark.parametrize("option", ["x", "y", "split", "value"])
def test_a_column_that_is_not_there_is_missing(run: Population, option: str) -> None:
    kind = next(kind for kind, each in KINDS.items() if option in (*each.needs, *each.takes))
    asked = dict.fromkeys(KINDS[kind].needs, "metadata.size") | {option: "metadata.no"}
    if kind == "heatmap":
        asked["x"] = "metadata.kind"
    with pytest.raises(MissingError, match=r"metadata\.no"):
        chart_of(run, ChartQuestion(kind, **asked))  # type: ignore[arg-type]


def test_a_state_needs_no_group_in_its_name(run: Population) -> None:
    bare, full = (chart_of(run, ChartQuestion("bar", name)) for name in ("state", "sample.state"))

    assert bare == full
    assert bare.x == "sample.state"


def test_codes_are_made_once_for_the_values_of_a_column(run: Population) -> None:
    column = run.column("metadata.kind")
    assert category_codes(run, column) is category_codes(run, column)
    expected = [-1 if kind is None else column.categories.index(kind) for kind in run.values("metadata.kind")]  # type: ignore[union-attr]
    assert category_codes(run, column).tolist() == expected


def test_an_analysis_that_is_made_anew_is_drawn_anew(tmp_path: Path) -> None:
    run = open_population(write_run(tmp_path / "run", ["training"] * 4, {"loss.a": ("float", [1.0, 2, 3, 4])}))
    for values in ([1.0, 2, 3, 4], [4.0, 3, 2, 1]):
        run.keep("found", ComputedColumn("found", np.array(values)))
        chart = chart_of(run, ChartQuestion("scatter", "analysis.found", "loss.a"))
        assert chart.points is not None
        assert chart.points.x == values
        assert chart.correlation == near(1.0 if values[0] == 1 else -1.0)


VALUES = st.one_of(
    st.none(), st.floats(), st.floats(-1e-3, 1e-3), st.sampled_from([0.0, 1.0, -0.0, 1e308, -1e308, 5e-324])
)


@given(
    st.lists(st.tuples(VALUES, VALUES, st.sampled_from(["a", "b", "", None]), st.booleans()), min_size=1, max_size=25)
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_charts_of_any_numbers_are_sound(
    tmp_path_factory: pytest.TempPathFactory, samples: list[tuple[Any, Any, Any, bool]]
) -> None:
    x, y, kind, flag = (list(each) for each in zip(*samples, strict=True))
    columns: dict[str, tuple[Any, Any]] = {
        "metadata.x": ("float", x), "loss.y": ("float", y), "metadata.k": ("string", kind),
        "metadata.f": ("boolean", flag),
    }  # fmt: skip
    run = open_population(write_run(tmp_path_factory.mktemp("any") / "run", ["training"] * len(x), columns))
    asked = [
        ChartQuestion("bar", "metadata.k", "loss.y", "metadata.f"),
        ChartQuestion("bar", "metadata.x", "loss.y", aggregate="median"),
        ChartQuestion("line", "metadata.x", "loss.y"),
        ChartQuestion("scatter", "metadata.x", "loss.y", "metadata.k"),
        ChartQuestion("histogram", "metadata.x", split="metadata.k", aggregate="share"),
        ChartQuestion("box", "metadata.k", "metadata.x"),
        ChartQuestion("heatmap", "metadata.x", "loss.y"),
        ChartQuestion("group-means", "metadata.x", "loss.y", "metadata.k"),
        ChartQuestion("correlation"),
    ]
    for question in asked:
        chart = chart_of(run, question)
        for group in chart.groups:
            assert all(number is None or np.isfinite(number) for number in (group.value, group.low, group.high))
        if question.kind in ("bar", "line", "histogram", "box", "heatmap"):
            assert sum(group.count for group in chart.groups) == chart.count
