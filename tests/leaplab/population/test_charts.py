"""Every number of every chart of columns, against SQL over the run's Parquet files and scipy's intervals."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from leaplab.analysis.charting.chart import Chart, Group
from leaplab.cli.chart import ChartKind
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import KINDS, chart_of
from leaplab.population.population import Population, open_population
from tests.leaplab.population.charted_runs import STATES, asked_in_sql, write_charted, write_objects

near: Any = pytest.approx
FINITE_SIZE = 'isfinite("metadata.size")'
AGGREGATES = {
    "mean": "avg({})",
    "median": "quantile_cont({}, 0.5)",
    "count": "count({})",
    "sum": "sum({})",
    "min": "min({})",
    "max": "max({})",
    "quantile:0.9": "quantile_cont({}, 0.9)",
}


@pytest.fixture(scope="module", params=[(700, 0), (233, 1)], ids=["700", "233"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows, seed = request.param
    return write_charted(tmp_path_factory.mktemp("runs") / "charted", rows, seed)


@pytest.fixture(scope="module")
def run(path: Path) -> Population:
    return open_population(path)


def drawn(run: Population, kind: str, where: str | None = None, **asked: Any) -> Chart:
    return chart_of(run, ChartQuestion(kind, **asked), None if where is None else run.where(where))


def said(run: Population, query: str, folder: str = "samples") -> list[tuple[Any, ...]]:
    return asked_in_sql(run.store.path, query, folder)


def by_place(groups: list[Group]) -> dict[Any, Group]:
    return {(group.x, group.series): group for group in groups if group.count}


def within(group: Group, column: str) -> str:
    """What SQL says of the samples of a bin."""
    assert group.x_low is not None
    return f'"{column}" >= {group.x_low!r} AND "{column}" < {group.x_high!r}'


def test_the_command_offers_the_kinds_that_there_are() -> None:
    assert [kind.value for kind in ChartKind] == list(KINDS)


@pytest.mark.parametrize("aggregate", [None, *AGGREGATES])
def test_bars_are_aggregates_of_each_category_and_series(run: Population, aggregate: str | None) -> None:
    chart = drawn(run, "bar", x="metadata.kind", y="metadata.size", split="sample.state", aggregate=aggregate)
    function = AGGREGATES[aggregate or "mean"].format('"metadata.size"')
    rows = said(
        run,
        f'SELECT "metadata.kind", state, count(*), {function}, stddev_samp("metadata.size") FROM rows'
        f' WHERE "metadata.kind" IS NOT NULL AND {FINITE_SIZE} GROUP BY ALL',
    )
    found = by_place(chart.groups)

    assert chart.aggregate == (aggregate or "mean")
    assert chart.series == STATES
    assert chart.x_axis.categories == sorted({row[0] for row in rows})
    assert set(found) == {row[:2] for row in rows}
    for kind, state, count, value, spread in rows:
        group = found[kind, state]
        assert group.count == count
        assert group.value == near(value, rel=1e-12)
        if chart.aggregate == "mean":
            interval = stats.t.interval(0.95, count - 1, value, spread / np.sqrt(count))
            assert (group.low, group.high) == near(interval, rel=1e-9)
        elif aggregate in ("count", "sum", "min", "max"):
            assert group.low is group.high is None
    assert chart.count == sum(row[2] for row in rows)
    assert chart.count + chart.absent == run.samples
    assert f"{chart.absent:,} of {run.samples:,} samples have no finite value" in " ".join(chart.notices)


def test_what_is_counted_without_a_value(run: Population) -> None:
    chart = drawn(run, "bar", x="metadata.night")
    rows = said(run, 'SELECT "metadata.night", count(*) FROM rows WHERE "metadata.night" IS NOT NULL GROUP BY 1')

    assert {group.x: group.count for group in chart.groups} == {str(night).lower(): count for night, count in rows}
    assert all(group.value == group.count and group.low is None for group in chart.groups)
    assert (chart.aggregate, chart.y_axis.label) == ("count", "number of samples")


def test_a_share_is_of_all_samples_of_its_series(run: Population) -> None:
    chart = drawn(run, "bar", x="metadata.video", split="metadata.night", aggregate="share")
    rows = said(
        run,
        'SELECT "metadata.video", lower("metadata.night"::VARCHAR), count(*) FROM rows'
        ' WHERE "metadata.video" IS NOT NULL AND "metadata.night" IS NOT NULL GROUP BY ALL',
    )
    totals = {series: sum(row[2] for row in rows if row[1] == series) for series in ("false", "true")}

    counted = {row[:2]: row[2] for row in rows}
    for place, group in by_place(chart.groups).items():
        assert group.count == counted[place]
        interval = stats.binomtest(group.count, totals[place[1]]).proportion_ci(0.95, "wilson")
        expected = (group.count / totals[place[1]], interval.low, interval.high)
        assert (group.value, group.low, group.high) == near(expected, abs=1e-9)


@pytest.mark.parametrize("column", ["metric.hit", "metadata.night"])
def test_a_share_of_truths_is_of_those_that_are_true(run: Population, column: str) -> None:
    chart = drawn(run, "bar", x="metadata.label", y=column, aggregate="share")
    mean = drawn(run, "bar", x="metadata.label", y=column)
    rows = said(
        run,
        f'SELECT "metadata.label"::VARCHAR, count("{column}"), sum("{column}"::INT)::INT FROM rows'
        " GROUP BY 1 ORDER BY 1",
    )

    assert len(rows) == len(chart.groups) == 4
    for group, (label, count, true) in zip(chart.groups, rows, strict=True):
        interval = stats.binomtest(true, count).proportion_ci(0.95, "wilson")
        assert (group.x, group.count) == (label, count)
        assert (group.value, group.low, group.high) == near((true / count, interval.low, interval.high), abs=1e-9)
    assert mean.groups == chart.groups


def test_of_many_categories_the_commonest_are_drawn_and_the_rest_told(run: Population) -> None:
    chart = drawn(run, "bar", x="metadata.video")
    rows = said(run, 'SELECT "metadata.video", count(*) FROM rows WHERE "metadata.video" IS NOT NULL GROUP BY 1')
    if len(rows) <= 30:
        assert len(chart.groups) == len(rows)
        return

    ordered = sorted((count for _, count in rows), reverse=True)
    assert len(chart.groups) == 30
    assert sorted((group.count for group in chart.groups), reverse=True) == ordered[:30]
    assert dict(rows).items() >= {group.x: group.count for group in chart.groups}.items()
    assert chart.count == sum(ordered)
    assert f"the other {len(rows) - 30:,} have {sum(ordered[30:]):,} samples" in " ".join(chart.notices)


def test_texts_are_drawn_as_their_commonest(tmp_path: Path) -> None:
    run = open_population(write_charted(tmp_path / "texts", 2500, 3))
    assert run.column("metadata.name").kind == "text"
    chart = drawn(run, "bar", x="metadata.name", where="sample_id != 's7'")
    rows = said(run, "SELECT \"metadata.name\", count(*) FROM rows WHERE sample_id != 's7' GROUP BY 1 ORDER BY 2 DESC")

    assert sorted((group.count for group in chart.groups), reverse=True) == [count for _, count in rows[:30]]
    assert dict(rows).items() >= {group.x: group.count for group in chart.groups}.items()
    assert f"has {len(rows):,} different values" in chart.notices[0]
    once = drawn(run, "bar", x="metadata.id")
    assert (len(once.groups), once.told) == (30, "None of the 2,500 values of 'metadata.id' comes twice.")
    assert "the other 2,470 have 2,470 samples" in once.notices[0]


def test_more_than_twelve_series_are_eleven_and_the_others(run: Population) -> None:
    chart = drawn(run, "bar", x="metadata.kind", y="loss.a", split="metadata.video")
    rows = said(run, 'SELECT "metadata.video", count(*) FROM rows WHERE "metadata.video" IS NOT NULL GROUP BY 1')
    common = chart.series[:-1]

    assert chart.series[-1] == "others"
    assert len(common) == 11
    assert common == sorted(common)
    counts = dict(rows)
    assert min(counts[name] for name in common) >= max(count for name, count in rows if name not in common)
    names = ", ".join(f"'{name}'" for name in common)
    others = said(
        run,
        f'SELECT "metadata.kind", count(*), avg("loss.a") FROM rows WHERE "metadata.video" NOT IN ({names})'
        ' AND "loss.a" IS NOT NULL AND "metadata.kind" IS NOT NULL GROUP BY 1',
    )
    found = {group.x: (group.count, group.value) for group in chart.groups if group.series == "others" and group.count}
    assert set(found) == {row[0] for row in others}
    for kind, count, mean in others:
        assert found[kind] == (count, near(mean))
    assert f"the other {len(rows) - 11:,} are one, 'others'" in " ".join(chart.notices)


@pytest.mark.parametrize("column", ["metadata.size", "metadata.area", "input.skewed"])
@pytest.mark.parametrize("bins", [None, 1, 7])
@pytest.mark.parametrize("kind", ["bar", "line", "histogram"])
def test_ranges_hold_what_sql_counts_between_their_edges(
    run: Population, column: str, bins: int | None, kind: str
) -> None:
    """The last range holds its upper edge, too."""
    value = {} if kind == "histogram" else {"y": "loss.a"}
    chart = drawn(run, kind, x=column, bins=bins, split="state", **value)
    ranges = sorted({(group.x_low, group.x_high) for group in chart.groups})
    condition = f'isfinite("{column}")' + (' AND "loss.a" IS NOT NULL' if value else "")

    assert bins is None or len(ranges) <= bins
    total = 0
    for group in chart.groups:
        inside = within(group, column)
        if group.x_high == ranges[-1][1]:
            inside = f'({inside} OR "{column}" = {group.x_high!r})'
        ((count, mean, along),) = said(
            run,
            f'SELECT count(*), avg("loss.a"), avg("{column}") FROM rows'
            f" WHERE {inside} AND {condition} AND state = '{group.series}'",
        )
        assert group.count == count
        total += count
        if value:
            assert group.value == (near(mean) if count else None)
        if kind == "line":
            assert group.x == near(along, abs=1e-9)
        else:
            assert group.x == near((group.x_low + group.x_high) / 2)  # type: ignore[operator]
    assert chart.count == total == said(run, f"SELECT count(*) FROM rows WHERE {condition}")[0][0]
    if kind != "line":  # which leaves out what is empty
        assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))


def test_the_shares_of_a_histogram_are_of_each_series(run: Population) -> None:
    chart = drawn(run, "histogram", x="metadata.area", split="state", aggregate="share")

    for state in STATES:
        shares = [group.value for group in chart.groups if group.series == state]
        assert sum(share for share in shares if share is not None) == near(1)
    assert all(edge is not None and (edge + 0.5).is_integer() for group in chart.groups for edge in (group.x_low,))
    low, high = said(
        run, 'SELECT quantile_cont("metadata.area", 0.25), quantile_cont("metadata.area", 0.75) FROM rows'
    )[0]
    assert f"lie between {low:.3g} and {high:.3g}" in chart.told


def test_a_line_along_few_whole_numbers_and_along_days(run: Population) -> None:
    lanes = drawn(run, "line", x="metadata.lanes", y="loss.a")
    rows = said(
        run,
        'SELECT "metadata.lanes", count("loss.a"), avg("loss.a") FROM rows WHERE "metadata.lanes" IS NOT NULL'
        " GROUP BY 1 ORDER BY 1",
    )
    assert [(group.x, group.count, group.value) for group in lanes.groups] == [
        (lane, count, near(mean)) for lane, count, mean in rows
    ]
    assert (lanes.x_axis.type, lanes.x_axis.low, lanes.x_axis.high) == ("number", 0, 5)
    days = drawn(run, "line", x="metadata.shot_date")
    counts = said(run, 'SELECT "metadata.shot_date", count(*) FROM rows GROUP BY 1 ORDER BY 1')
    assert [(group.x, group.count) for group in days.groups] == counts


def test_boxes_are_quartiles_with_whiskers(run: Population) -> None:
    chart = drawn(run, "box", x="metadata.kind", y="metadata.size", split="state")
    rows = said(
        run,
        f'SELECT "metadata.kind", state, list("metadata.size") FROM rows WHERE {FINITE_SIZE}'
        ' AND "metadata.kind" IS NOT NULL GROUP BY ALL',
    )
    found = by_place(chart.groups)

    assert set(found) == {row[:2] for row in rows}
    for kind, state, values in rows:
        group, (low, middle, high) = found[kind, state], np.quantile(values, [0.25, 0.5, 0.75])
        within_reach = [v for v in values if low - 1.5 * (high - low) <= v <= high + 1.5 * (high - low)]
        ends = min([low, *within_reach]), max([high, *within_reach])
        assert group.box == near((ends[0], low, middle, high, ends[1]))
        assert group.value == near(middle)
        count = len(values)
        first, last = int(stats.binom.ppf(0.025, count, 0.5)), int(stats.binom.ppf(0.975, count, 0.5)) + 1
        if first >= 1 and last <= count:
            assert (group.low, group.high) == (sorted(values)[first - 1], sorted(values)[last - 1])
        else:
            assert group.low is group.high is None
    alone = drawn(run, "box", y="loss.a")
    assert [(group.x, group.count) for group in alone.groups] == [("all", alone.count)]


@pytest.mark.parametrize(
    ("value", "aggregate", "sql"),
    [
        (None, None, "count(*)"),
        (None, "share", "count(*) / sum(count(*)) OVER ()"),
        ("loss.a", None, 'avg("loss.a")'),
        ("loss.a", "max", 'max("loss.a")'),
    ],
)
def test_cells_of_a_heatmap(run: Population, value: str | None, aggregate: str | None, sql: str) -> None:
    chart = drawn(run, "heatmap", x="metadata.kind", y="metadata.lanes", value=value, aggregate=aggregate)
    valued = "" if value is None else f'AND "{value}" IS NOT NULL'
    rows = said(
        run,
        f'SELECT "metadata.kind", "metadata.lanes"::VARCHAR, count(*), {sql} FROM rows'
        ' WHERE "metadata.kind" IS NOT NULL AND "metadata.lanes" IS NOT NULL'
        f" {valued} GROUP BY ALL",
    )

    assert {(group.x, group.y): (group.count, group.value) for group in chart.groups} == {
        row[:2]: (row[2], near(row[3])) for row in rows
    }
    assert chart.count == sum(row[2] for row in rows)


def test_cells_of_two_numbers(run: Population) -> None:
    chart = drawn(run, "heatmap", x="metadata.size", y="metadata.area", bins=5)

    assert sum(group.count for group in chart.groups) == chart.count
    for group in chart.groups:
        x_last = group.x_high == max(each.x_high or 0 for each in chart.groups)
        inside = within(group, "metadata.size")
        if x_last:
            inside = inside.replace("<", "<=")
        ((count,),) = said(
            run,
            f'SELECT count(*) FROM rows WHERE {inside} AND "metadata.area" BETWEEN {group.y_low} AND {group.y_high}'
            f" AND {FINITE_SIZE}",
        )
        assert group.count == count


def test_a_scatter_has_all_points_and_their_correlation(run: Population) -> None:
    chart = drawn(run, "scatter", x="metadata.size", y="loss.a", split="state")
    rows = said(run, f'SELECT "metadata.size", "loss.a", state FROM rows WHERE {FINITE_SIZE} AND "loss.a" IS NOT NULL')
    x, y = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    expected = stats.pearsonr(x, y)
    interval = expected.confidence_interval(0.95)

    assert chart.points is not None
    assert chart.points.count == len(chart.points.rows) == chart.count == len(rows)
    assert chart.points.series is not None
    named = [chart.series[place] for place in chart.points.series]
    assert sorted(zip(chart.points.x, chart.points.y, named, strict=True)) == sorted(rows)
    size, states = run.values("metadata.size"), run.states
    for row, at, series in zip(chart.points.rows, chart.points.x, named, strict=True):
        assert (size[row], states[row]) == (at, series)
    assert chart.correlation == near(expected.statistic)
    assert (chart.correlation_low, chart.correlation_high) == near((interval.low, interval.high))
    assert chart.rank_correlation == near(stats.spearmanr(x, y).statistic)
    means = dict(said(run, f'SELECT state, avg("loss.a") FROM rows WHERE {FINITE_SIZE} GROUP BY 1'))
    assert {group.name: group.value for group in chart.groups} == {
        state: near(mean) for state, mean in means.items() if mean is not None
    }
    assert f"r = {expected.statistic:.2f}" in chart.told


def test_of_many_points_some_are_drawn_and_the_numbers_are_of_all(tmp_path: Path) -> None:
    run = open_population(write_charted(tmp_path / "many", 7000, 2))
    chart = drawn(run, "scatter", x="input.skewed", y="metadata.area", split="metadata.kind")
    ((r,),) = said(run, 'SELECT corr("input.skewed", "metadata.area") FROM rows WHERE "metadata.kind" IS NOT NULL')

    assert chart.points is not None
    assert len(set(chart.points.rows)) == 5000 < chart.points.count == chart.count
    assert chart.correlation == near(r)
    places = np.bincount(np.array(chart.points.series))
    for group, place in zip(chart.groups, places, strict=True):
        assert place == near(5000 * group.count / chart.count, abs=2)
    area = run.values("metadata.area")
    assert [area[row] for row in chart.points.rows] == chart.points.y
    assert any("5,000 of" in notice for notice in chart.notices)


def test_means_of_groups_and_their_correlation(run: Population) -> None:
    chart = drawn(run, "group-means", x="metadata.size", y="loss.a", split="metadata.video")
    rows = said(
        run,
        'SELECT "metadata.video", count(*), avg("metadata.size"), avg("loss.a"), stddev_samp("metadata.size") FROM rows'
        f' WHERE {FINITE_SIZE} AND "loss.a" IS NOT NULL AND "metadata.video" IS NOT NULL GROUP BY 1 ORDER BY 1',
    )
    expected = stats.pearsonr([row[2] for row in rows], [row[3] for row in rows])
    interval = expected.confidence_interval(0.95)

    assert [(group.name, group.count) for group in chart.groups] == [row[:2] for row in rows]
    for group, (_, count, x, y, spread) in zip(chart.groups, rows, strict=True):
        assert (group.x, group.value) == near((x, y))
        if count > 1:
            ends = stats.t.interval(0.95, count - 1, x, spread / np.sqrt(count))
            assert (group.x_low, group.x_high) == near(ends)
        else:
            assert group.x_low is None
    assert chart.correlation == near(expected.statistic)
    assert (chart.correlation_low, chart.correlation_high) == near((interval.low, interval.high))


def _correlation(values: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[int, float]:
    both = np.isfinite(values) & np.isfinite(others)
    return int(both.sum()), float(stats.pearsonr(values[both], others[both]).statistic)


def test_columns_that_correlate_with_one(run: Population) -> None:
    chart = drawn(run, "correlation", y="loss.a")
    numbers = ("metadata.lanes", "metadata.area", "metadata.size", "metadata.of_training", "metadata.of_validation")
    names = (*numbers, "input.skewed", "metric.hit")
    selected = ", ".join(f'"{name}"::DOUBLE' for name in ("loss.a", *names))
    table = np.array(said(run, f"SELECT {selected} FROM rows"), np.float64).T

    assert {group.x for group in chart.groups} == set(names)
    for group in chart.groups:
        count, r = _correlation(table[1 + names.index(str(group.x))], table[0])
        assert (group.y, group.count, group.value) == ("loss.a", count, near(r))
    strengths = [abs(group.value) for group in chart.groups if group.value is not None]
    assert strengths == sorted(strengths, reverse=True)
    assert chart.x_axis.categories == [group.x for group in chart.groups]
    assert "'metadata.same'" in chart.notices[0]
    assert "'metadata.empty'" in chart.notices[0]
    assert f"'{chart.groups[0].x}' with 'loss.a'" in chart.told

    table_chart = drawn(run, "correlation")
    pairs = {(group.x, group.y): group for group in table_chart.groups}
    assert ("metadata.of_training", "metadata.of_validation") not in pairs  # no sample has both
    assert len(pairs) == 8 * 7 / 2 - 1
    for (x, y), group in pairs.items():
        columns = [table[("loss.a", *names).index(str(name))] for name in (x, y)]
        count, r = _correlation(*columns)
        assert (group.count, group.value) == (count, near(r))
    one = drawn(run, "correlation", x="metadata.size", y="loss.a")
    assert [group.value for group in one.groups] == [one.correlation] == [near(_correlation(table[3], table[0])[1])]


@pytest.mark.parametrize("where", ["state = 'validation'", '"metadata.area" > 300 AND "metadata.kind" <> \'kind 2\''])
def test_a_condition_leaves_the_samples_that_meet_it(run: Population, where: str) -> None:
    chart = drawn(run, "bar", where, x="metadata.label", y="loss.a")
    rows = said(
        run, f'SELECT "metadata.label"::VARCHAR, count("loss.a"), avg("loss.a") FROM rows WHERE {where} GROUP BY 1'
    )

    assert {group.x: (group.count, group.value) for group in chart.groups if group.count} == {
        label: (count, near(mean)) for label, count, mean in rows if count
    }
    points = drawn(run, "scatter", where, x="metadata.area", y="metric.hit").points
    assert points is not None
    assert set(points.rows) <= set(run.where(where).tolist())


def test_objects_are_rows_too(tmp_path: Path) -> None:
    run = open_population(write_objects(tmp_path / "objects"))
    where = "\"metadata.site\" = 'site 1'"
    rows = said(
        run, 'SELECT name, count(*), avg("metric.iou") FROM rows WHERE isfinite("metric.iou") GROUP BY 1', "instances"
    )
    chart = drawn(run, "bar", x="name", y="metric.iou", of="objects")

    assert {group.x: (group.count, group.value) for group in chart.groups} == {
        name: (count, near(mean)) for name, count, mean in rows
    }
    assert chart.of == "objects"
    assert "objects have no finite value of 'metric.iou'" in " ".join(chart.notices)
    offsets = [int(row) for row in run.where(where)]
    counted = said(run, f'SELECT count(*) FROM rows WHERE "offset" IN ({", ".join(map(str, offsets))})', "instances")
    some = drawn(run, "histogram", where, x="mask_share", of="objects")
    assert some.count == counted[0][0]
    points = drawn(run, "scatter", where, x="mask_share", y="mask_share", of="objects").points
    assert points is not None
    assert {int(run.objects.rows[row]) for row in points.rows} <= set(offsets)


def test_what_is_most_striking_is_told_with_its_interval(run: Population) -> None:
    chart = drawn(run, "bar", x="metadata.kind", y="loss.a")
    highest = max(chart.groups, key=lambda group: group.value or 0)
    lowest = min(chart.groups, key=lambda group: group.value or 0)

    assert chart.told.startswith(f"Mean a is highest for '{highest.name}', {highest.value:.3g} ({highest.low:.3g} to")
    assert f"lowest for '{lowest.name}', {lowest.value:.3g} ({lowest.low:.3g} to {lowest.high:.3g})." in chart.told
