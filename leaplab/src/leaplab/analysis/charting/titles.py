"""What a chart is of, in a few words."""

from leaplab.analysis.charting.chart import Chart

SPREAD = ("histogram", "box")
WHOLE = {
    "confusion": "Confusion matrix",
    "roc": "ROC",
    "precision-recall": "Precision and recall",
    "calibration": "Calibration",
    "curves": "Training",
}


def title_of(chart: Chart, value: str | None = None) -> str:
    """A title, such as `Mean cross_entropy by label`.

    Args:
        value: the column that the cells of a heat-map aggregate.
    """
    if chart.kind in WHOLE:
        what = f": {chart.y_axis.label}" if chart.kind == "curves" else ""
        return f"{WHOLE[chart.kind]}{what}"
    x, y = chart.x_axis.label, chart.y_axis.label
    if chart.kind == "correlation":
        return _capital(y) if chart.y is not None else "Correlations"
    if chart.kind == "scatter":
        return _capital(f"{y} against {x}")
    if chart.kind == "group-means":
        return _capital(f"{y} against {x}, by {_label(chart.split)}")
    if chart.kind == "heatmap":
        what = chart.of if value is None else f"{chart.aggregate} {_label(value)}"
        return _capital(f"{what} by {x} and {y}")
    if chart.kind == "histogram":
        title = x
    elif chart.kind == "box":
        title = y if chart.x is None else f"{y} by {x}"
    else:
        title = f"{y} by {x}"
    return _capital(title if chart.split is None else f"{title}, {_label(chart.split)}")


def _label(column: str | None) -> str:
    return "" if column is None else column.partition(".")[2] or column


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
