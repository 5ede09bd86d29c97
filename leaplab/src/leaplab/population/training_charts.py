"""The chart of a training: its history by state, and whether it has come to an end."""

import re

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Axis, Chart, Curve, Group
from leaplab.analysis.charting.training import Ending, Series, ending, series_by_epoch, series_by_step
from leaplab.errors import MissingError, QuestionError
from leaplab.population.chart_question import Charted
from leaplab.population.population import Population
from leaplab.store.history import TRAINING, VALIDATION, History, history_of, places_of_history, read_history

LESS_IS_BETTER = re.compile(r"(^|[_/. ])(loss|error|mae|mse|rmse|perplexity)([_/. ]|$)|loss|error", re.IGNORECASE)
"""What a metric is called of which less is better, where the run does not say it of one of that name."""
LOSS = "loss"


def curves(asked: Charted) -> Chart:
    """A metric of the training against its steps or epochs, a curve a state.

    Raises:
        LeaplabError: the history cannot be read or has no such metric, or the question makes no sense.
    """
    question = asked.question
    store = asked.population.store
    path = history_of(store)
    if path is None:
        looked = " or ".join(map(str, places_of_history(store)))
        return _empty(
            asked,
            f"There is no history of this model's training; looked for {looked}. `leaplab evaluate --history FILE` adds"
            " one to the run.",
        )
    history = read_history(path)
    metric = _metric(history, question.y)
    along, x = _along(history, question.x)
    of_metric = np.array(history.metric, object) == metric
    placed = of_metric & np.isfinite(x)
    value, states = np.array(history.value), np.array(history.state, object)
    named = _in_order(dict.fromkeys(states[placed].tolist()))
    make = series_by_step if along == "step" or not np.isfinite(_numbers(history.step)).any() else series_by_epoch
    series = {state: make(x[placed & (states == state)], value[placed & (states == state)]) for state in named}
    downward = _downward(asked.population, metric)
    endings = {state: ending(each, downward) for state, each in series.items()}
    count = int((placed & np.isfinite(value)).sum())
    repeated = sum(each.repeated for each in series.values())
    notices = (
        [] if not repeated else [f"{repeated:,} values were written again for the same {along}; the last one counts."]
    )
    x_known, y_known = x[placed], value[placed & np.isfinite(value)]
    return Chart(
        question.kind,
        along,
        metric,
        None,
        "value",
        "samples",
        Axis(along, "number", None, None, *_ends(x_known)),
        Axis(metric, "number", None, None, *_ends(y_known)),
        count,
        int(of_metric.sum()) - count,
        series=named,
        groups=[_group(state, series[state], downward) for state in named if np.isfinite(series[state].y).any()],
        curves=[_curve(state, each) for state, each in series.items()],
        measures=_measures(endings, downward),
        told=_told(endings, metric, along, downward) if count else f"No value of {metric} is a number.",
        notices=notices,
    )


def _empty(asked: Charted, told: str) -> Chart:
    question = asked.question
    x, y = question.x or "step", question.y or LOSS
    return Chart("curves", x, y, None, "value", "samples", Axis(x, "number"), Axis(y, "number"), 0, 0, told=told)


def _metric(history: History, wanted: str | None) -> str:
    known = list(dict.fromkeys(history.metric))
    if wanted is None:
        return LOSS if LOSS in known else known[0]
    if wanted not in known:
        raise MissingError(f"The history of the training has no metric '{wanted}'; it has {', '.join(known[:20])}.")
    return wanted


def _along(history: History, wanted: str | None) -> tuple[str, NDArray[np.float64]]:
    numbers = {"step": _numbers(history.step), "epoch": _numbers(history.epoch)}
    known = [name for name, each in numbers.items() if np.isfinite(each).any()]
    if wanted is None:
        return known[0], numbers[known[0]]
    if wanted not in numbers:
        raise QuestionError(f"Curves are drawn along step or epoch, and not '{wanted}'.")
    if wanted not in known:
        raise QuestionError(f"The history of the training says no {wanted}; draw it along {known[0]}.")
    return wanted, numbers[wanted]


def _in_order(states: "dict[str, None]") -> list[str]:
    """The states of training and validation first."""
    first = [state for state in (TRAINING, VALIDATION) if state in states]
    return [*first, *(state for state in states if state not in first)]


def _downward(population: Population, metric: str) -> bool:
    """Whether less of a metric is better: as the run declares it of a metric of this name, else by its name."""
    for column in population.columns.values():
        if column.label == metric and isinstance(column.direction, str):
            return column.direction == "downward"
    return LESS_IS_BETTER.search(metric) is not None


def _curve(state: str, series: Series) -> Curve:
    values = [float(each) if np.isfinite(each) else None for each in series.y]
    return Curve(state, series.x.tolist(), values, series=state)


def _group(state: str, series: Series, downward: bool) -> Group:
    """The best value of a state, at its place."""
    best = int(np.nanargmin(series.y) if downward else np.nanargmax(series.y))
    count = int(np.isfinite(series.y).sum())
    return Group(state, count, float(series.y[best]), series=state, x=float(series.x[best]))


def _measures(endings: "dict[str, Ending | None]", downward: bool) -> dict[str, float]:
    measures: dict[str, float] = {}
    for state, each in endings.items():
        if each is not None:
            measures |= {f"best_{state}": each.best, f"best_at_{state}": each.best_at, f"last_{state}": each.last}
            measures |= {f"change_{state}": each.change}
            measures |= {f"change_low_{state}": each.low, f"change_high_{state}": each.high}
    judge = _judge(endings)
    training = endings.get(TRAINING)
    if training is not None and judge not in (None, TRAINING):
        measures["gap"] = _gap(training, endings[str(judge)], downward)
    return measures


def _judge(endings: "dict[str, Ending | None]") -> str | None:
    """The state that says how good the model is: one that was not trained on, where there is one."""
    known = [state for state, each in endings.items() if each is not None]
    held = [state for state in known if state != TRAINING]
    return VALIDATION if VALIDATION in held else next(iter(held), next(iter(known), None))


def _gap(training: Ending, other: "Ending | None", downward: bool) -> float:
    """By how much the other state is worse at the end."""
    assert other is not None
    return (other.last - training.last) * (1 if downward else -1)


def _told(endings: "dict[str, Ending | None]", metric: str, along: str, downward: bool) -> str:
    judge = _judge(endings)
    if judge is None:
        return f"There are too few values of {metric} to say whether the training has come to an end."
    found = endings[judge]
    assert found is not None
    verdict = "still improves" if found.improves else "gets worse again" if found.worsens else "has levelled off"
    told = (
        f"The {metric} of {judge} {verdict}: over the last fifth it changes by {found.change:+.3g} (from"
        f" {found.low:+.3g} to {found.high:+.3g}); it is best, {found.best:.4g}, at {along} {found.best_at:,g}."
    )
    training = endings.get(TRAINING)
    if training is None or judge == TRAINING:
        return f"{told} Nothing but the training's own data was measured." if judge == TRAINING else told
    gap = _gap(training, found, downward)
    side = "worse" if gap > 0 else "better"
    return f"{told} At the end it is {abs(gap):.3g} {side} than that of {TRAINING}."


def _numbers(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, np.float64)


def _ends(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    return (float(values.min()), float(values.max())) if len(values) else (None, None)
