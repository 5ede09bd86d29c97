"""Charts as figures: each mark lies where its number says."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from leaplab.analysis.charting.chart import Axis, Chart, Curve, Group, Points
from leaplab.analysis.charting.titles import title_of
from leaplab.population.charts import KINDS
from leaplab.render.chart_figures import chart_figure
from leaplab.render.figure import DENSITY, TEXT, encoded, style, width_of

CLASSES = ["cat", "a dog that sleeps under the table of the kitchen all day long", "bird"]
COUNTS = Axis("samples", "number")


def chart(kind: str, **fields: Any) -> Chart:
    known: dict[str, Any] = {
        "x": "metadata.a", "y": "loss.b", "split": None, "aggregate": "mean", "of": "samples", "told": "It is so.",
        "x_axis": Axis("a", "number", "metadata.a", None, 0.0, 1.0), "y_axis": Axis("mean b", "number", "loss.b"),
        "count": 30, "absent": 0,
    }  # fmt: skip
    return Chart(kind=kind, **{**known, **fields})


def axes_of(figure: Figure) -> Any:
    (axes,) = figure.axes
    return axes


def patches(figure: Figure, gid: str) -> list[Rectangle]:
    return [patch for patch in axes_of(figure).patches if patch.get_gid() == gid]


def line(figure: Figure, gid: str) -> Any:
    (found,) = [each for each in axes_of(figure).lines if each.get_gid() == gid]
    return found


def texts(figure: Figure) -> list[str]:
    axes = axes_of(figure)
    inside = [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]
    return [text.get_text() for text in (*figure.texts, *inside)]


def categories(series: list[str] | None = None) -> Chart:
    groups = [
        Group(name, 10, 1.0 + place + 10 * number, 0.5 + place, None if place == 2 else 2.0 + place, each, name)
        for number, each in enumerate(series or [None])
        for place, name in enumerate(CLASSES)
    ]
    return chart("bar", groups=groups, series=series or [], x_axis=Axis("kind", "category", "metadata.kind", CLASSES))


def test_bars_are_as_long_as_their_values_and_the_first_stands_on_top() -> None:
    figure = chart_figure(categories(), "Bars")
    bars = patches(figure, "bars-0")
    assert [bar.get_width() for bar in bars] == [1.0, 2.0, 3.0]
    assert [round(bar.get_y() + bar.get_height() / 2, 6) for bar in bars] == [0, 1, 2]
    low, high = axes_of(figure).get_ylim()
    assert low > high
    assert "cat" in texts(figure)
    assert {"Bars", "It is so.", "mean b"} <= set(texts(figure))
    ends = [list(each.get_xdata()) for each in axes_of(figure).lines]
    assert ends == [[0.5, 2.0], [1.5, 3.0]]  # the third has no upper end


def test_bars_of_series_lie_side_by_side_in_colours_that_the_legend_tells() -> None:
    figure = chart_figure(categories(["first", "second"]), "Bars")
    first, second = patches(figure, "bars-0"), patches(figure, "bars-1")
    assert [bar.get_width() for bar in second] == [11.0, 12.0, 13.0]
    assert first[0].get_facecolor() != second[0].get_facecolor()
    assert first[0].get_y() + first[0].get_height() <= second[0].get_y() + 1e-9
    assert {"first", "second"} <= set(texts(figure))


def test_a_histogram_has_a_step_a_bin_between_its_edges() -> None:
    groups = [Group(f"{k}", n, float(n), x=k + 0.5, x_low=float(k), x_high=k + 1.0) for k, n in enumerate([3, 0, 5])]
    asked = {"aggregate": "count", "groups": groups, "y_axis": COUNTS}
    for end, expected in ((3.0, [0, 1, 2, 3]), (2.5, [0, 1, 2, 2.5])):  # the last bin may reach beyond the axis
        axis = Axis("a", "number", "metadata.a", None, 0.0, end)
        (steps,) = patches(chart_figure(chart("histogram", **asked, x_axis=axis), "Histogram"), "bars-0")
        values, edges, _ = steps.get_data()  # type: ignore[attr-defined]
        assert list(values) == [3, 0, 5]
        assert list(edges) == expected


def test_a_line_goes_through_its_values_within_their_interval() -> None:
    groups = [Group(str(k), 5, k**2, k**2 - 1.0, k**2 + 1.0, x=float(k), x_low=k, x_high=k + 1) for k in range(4)]
    figure = chart_figure(chart("line", groups=groups), "Line")
    assert list(line(figure, "line-0").get_xydata().ravel()) == [0, 0, 1, 1, 2, 4, 3, 9]
    (band,) = [each for each in axes_of(figure).collections if each.get_gid() == "interval-0"]
    assert band.get_paths()[0].get_extents().ymax == 10


def test_every_point_of_a_scatter_lies_where_its_numbers_say() -> None:
    points = Points([4, 7, 9], [1.0, 2.0, 3.0], [5.0, 6.0, 4.0], [0, 1, 1], 3)
    groups = [Group("a", 1, 5.0, series="a"), Group("b", 2, 5.0, series="b")]
    figure = chart_figure(chart("scatter", points=points, series=["a", "b"], groups=groups), "Scatter")
    (drawn,) = axes_of(figure).collections
    placed = {tuple(place): tuple(colour) for place, colour in zip(drawn.get_offsets(), drawn.get_facecolors())}  # noqa: B905
    assert set(placed) == {(1, 5), (2, 6), (3, 4)}
    assert placed[2, 6] == placed[3, 4] != placed[1, 5]


def test_means_of_groups_are_named_and_have_the_line_of_least_squares() -> None:
    x, y = np.array([1.0, 2.0, 4.0]), np.array([3.0, 3.5, 7.0])
    groups = [
        Group(name, 9, b, b - 1, b + 1, x=a, x_low=a - 0.1, x_high=a + 0.1)
        for name, a, b in zip(CLASSES, x.tolist(), y.tolist(), strict=True)
    ]
    figure = chart_figure(chart("group-means", split="metadata.kind", groups=groups, correlation=0.95), "Means")
    (dots,) = axes_of(figure).collections
    assert {tuple(place) for place in dots.get_offsets()} == set(zip(x, y, strict=True))
    assert set(CLASSES) <= set(texts(figure))
    slope = np.cov(x, y)[0, 1] / x.var(ddof=1)
    ends = line(figure, "trend").get_xydata()
    assert (ends[1, 1] - ends[0, 1]) / (ends[1, 0] - ends[0, 0]) == pytest.approx(slope)
    assert ends[0, 1] == pytest.approx(y.mean() + slope * (1 - x.mean()))


def test_a_box_goes_from_quartile_to_quartile() -> None:
    groups = [Group(name, 9, 3.0, 2.5, 3.5, x=name, box=(0.0, 2.0, 3.0, 5.0, 8.0)) for name in CLASSES]
    axis = Axis("kind", "category", "metadata.kind", CLASSES)
    figure = chart_figure(chart("box", groups=groups, x_axis=axis, y_axis=Axis("b", "number")), "Boxes")
    boxes = axes_of(figure).patches
    assert [(box.get_x(), box.get_width()) for box in boxes] == [(2.0, 3.0)] * 3
    whiskers = [list(each.get_xdata()) for each in axes_of(figure).lines]
    assert whiskers.count([0.0, 8.0]) == whiskers.count([3.0, 3.0]) == 3


def confusion() -> Chart:
    cells = {("cat", "cat"): (8, 0.8), ("cat", "bird"): (2, 0.2), ("bird", "bird"): (5, 1.0)}
    groups = [Group(f"{t} as {p}", n, share, x=p, y=t) for (t, p), (n, share) in cells.items()]
    axis = Axis("predicted", "category", None, ["cat", "bird"])
    return chart("confusion", groups=groups, x_axis=axis, y_axis=Axis("true", "category", None, ["cat", "bird"]))


def test_a_confusion_matrix_has_the_true_class_down_and_tells_right_from_wrong() -> None:
    figure = chart_figure(confusion(), "Confusion")
    cells = {patch.get_gid(): patch for patch in axes_of(figure).patches}
    assert set(cells) == {"0-0", "0-1", "1-1"}
    assert (cells["0-1"].get_x(), cells["0-1"].get_y()) == (0.5, -0.5)
    red, _, blue, _ = cells["0-1"].get_facecolor()
    assert red > blue
    red, _, blue, _ = cells["0-0"].get_facecolor()
    assert blue > red
    assert {"8", "2", "5", "true", "predicted"} <= set(texts(figure))


def test_pairs_of_columns_are_a_triangle_and_one_column_bars() -> None:
    names = ["a", "b", "c"]
    pairs = [Group("a and b", 9, 0.5, 0.1, 0.8, x="a", y="b"), Group("a and c", 9, -0.25, -0.6, 0.2, x="a", y="c")]
    axis = Axis("", "category", None, names)
    figure = chart_figure(chart("correlation", x=None, y=None, groups=pairs, x_axis=axis, y_axis=axis), "Pairs")
    assert {"0.50", "-0.25"} <= set(texts(figure))
    assert {patch.get_gid() for patch in axes_of(figure).patches} == {"0-0", "1-0"}
    told = Axis("correlation with b", "number", None, None, -1.0, 1.0)
    figure = chart_figure(chart("correlation", x=None, groups=pairs, x_axis=axis, y_axis=told), "With b")
    assert [(bar.get_x(), bar.get_width()) for bar in axes_of(figure).patches] == [(0.0, 0.5), (0.0, -0.25)]


@pytest.mark.parametrize("kind", ["roc", "precision-recall"])
def test_a_trade_off_has_a_dot_at_its_threshold(kind: str) -> None:
    curves = [Curve("cat", [0.0, 0.2, 1.0], [0.0, 0.7, 1.0], [0.9, 0.5, 0.1])]
    groups = [Group("cat", 9, 0.81, 0.7, 0.9)]
    fields = {"curves": curves, "groups": groups, "threshold": 0.4}
    figure = chart_figure(chart(kind, **fields), "Trade-off")
    assert list(line(figure, "curve-0").get_ydata()) == [0.0, 0.7, 1.0]
    assert line(figure, "threshold-0").get_xydata().tolist() == [[0.2, 0.7]]
    assert [text.get_text() for text in axes_of(figure).get_legend().get_texts()] == ["cat 0.810"]


def test_a_training_with_a_gap_is_drawn_with_the_gap() -> None:
    curves = [Curve("training", [1.0, 2.0, 3.0], [0.9, None, 0.5], series="training")]
    figure = chart_figure(chart("curves", curves=curves, series=["training"]), "Training")
    drawn = line(figure, "curve-0").get_ydata()
    assert drawn[[0, 2]].tolist() == [0.9, 0.5]
    assert np.isnan(drawn[1])


def test_a_chart_without_a_mark_says_why() -> None:
    figure = chart_figure(chart("bar", told="None of these 30 samples has a finite value of 'loss.b'."), "Bars")
    assert not figure.axes
    assert any("finite value" in text.get_text() for text in figure.texts)


def test_the_same_chart_makes_the_same_bytes_and_all_kinds_have_a_title() -> None:
    assert encoded(chart_figure(confusion(), "A $b$"), "svg") == encoded(chart_figure(confusion(), "A $b$"), "svg")
    titles = {kind: title_of(replace(confusion(), kind=kind)) for kind in KINDS}
    assert all(title and title[0].isupper() for title in titles.values())
    split = replace(categories(), split="sample.state")
    assert title_of(split) == "Mean b by kind, state"


def test_marks_and_words_stay_inside_the_sheet() -> None:
    told = "Of 12,848 objects 10,811 are found as what they are, 2,037 are missed and 0 are taken for another; "
    for each in (categories(["first", "second"]), confusion()):
        figure = chart_figure(replace(each, told=told * 2), "A title that goes on and on " * 9)
        figure.set_dpi(DENSITY)
        with style():  # as a file is written
            FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
            box = figure.bbox
            for text in (*figure.texts, *axes_of(figure).get_yticklabels()):
                ends = text.get_window_extent()
                assert box.x0 <= ends.x0 + 1, text.get_text()
                assert ends.x1 <= box.x1 + 1, text.get_text()
            lines = [text for text in figure.texts if text.get_text() in told * 2]
            assert lines
            for text in lines:
                measured = width_of(text.get_text(), TEXT) * DENSITY
                assert text.get_window_extent().width == pytest.approx(measured, rel=0.005), text.get_text()
