"""Charts that judge a model: against scikit-learn, SQL over the run's files, and worked examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from leaplab.analysis.charting.chart import Chart
from leaplab.errors import MissingError, QuestionError
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import chart_of
from leaplab.population.judged_charts import cell_rows
from leaplab.population.population import Population, open_population
from leaplab.protocol.description import PredictionSpec
from tests.leaplab.runs_by_hand import without_ids, write_run

LABELS = ("eel", "ant", "cat", "bee")
KINDS = ("confusion", "roc", "precision-recall", "calibration")
Element = tuple[int, str, bool, float, str]


class Classified:
    """A run of samples with scores of each label, and what is known of it without leaplab."""

    def __init__(self, path: Path, seed: int, count: int = 500, order: Sequence[str] = LABELS) -> None:
        generator = np.random.default_rng(seed)
        self.truth = generator.integers(0, 4, count)
        logits = generator.normal(size=(count, 4))
        logits[np.arange(count), self.truth] += 1.3
        self.scores = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).round(3)
        elements: list[Element] = [
            (row, label, LABELS[self.truth[row]] == label, float(self.scores[row, LABELS.index(label)]), "")
            for row in range(count)
            for label in (order if row % 2 else order[::-1])
        ]
        run = write_run(
            path,
            ["training"] * (count // 2) + ["validation"] * (count - count // 2),
            {},
            confusion={"metric.which": elements},
            predictions=(PredictionSpec("sort", LABELS, -1),),
        )
        self.population = open_population(run)

    def chart(self, kind: str, among: NDArray[np.int64] | None = None, **question: Any) -> Chart:
        return chart_of(self.population, ChartQuestion(kind, **question), among)


@pytest.fixture(scope="module", params=[1, 2])
def classified(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Classified:
    order = LABELS if request.param == 1 else ("cat", "bee", "ant", "eel")
    return Classified(tmp_path_factory.mktemp("runs") / "run", request.param, order=order)


def cells(chart: Chart) -> dict[tuple[str, str], int]:
    return {(str(group.y), str(group.x)): group.count for group in chart.groups}


def test_the_matrix_of_samples_is_scikit_learns_and_its_labels_are_in_their_own_order(classified: Classified) -> None:
    among = np.arange(30, 480)
    wanted = confusion_matrix(classified.truth[among], classified.scores[among].argmax(axis=1), labels=range(4))

    chart = classified.chart("confusion", among)

    assert (chart.x_axis.categories, chart.y_axis.categories) == ([*LABELS], [*LABELS])
    assert cells(chart) == {
        (LABELS[true], LABELS[taken]): count for (true, taken), count in np.ndenumerate(wanted) if count
    }
    for group in chart.groups:
        of_row = wanted[LABELS.index(str(group.y))].sum()
        assert group.value == pytest.approx(group.count / of_row)
        assert (group.low or 0) <= (group.value or 0) <= (group.high or 0)
    right = accuracy_score(classified.truth[among], classified.scores[among].argmax(axis=1))
    assert chart.measures["right"] == pytest.approx(right)
    assert (chart.count, chart.absent, chart.of) == (450, 0, "samples")


def test_the_matrix_is_that_of_sql_over_the_files(classified: Classified) -> None:
    query = """
        WITH e AS (SELECT * FROM read_parquet(?)),
        t AS (SELECT state, "offset", label AS actual FROM e WHERE expected),
        p AS (SELECT state, "offset", max(probability) AS best,
              arg_max(label, (probability, -list_position(?, label))) AS taken FROM e GROUP BY ALL)
        SELECT actual, CASE WHEN best >= 0.5 THEN taken ELSE 'no answer' END AS taken, count(*)
        FROM t JOIN p USING (state, "offset") GROUP BY ALL"""
    files = str(classified.population.store.path / "confusion" / "*" / "*.parquet")
    with duckdb.connect() as connection:
        wanted = {
            (true, taken): count for true, taken, count in connection.execute(query, [files, [*LABELS]]).fetchall()
        }

    assert cells(classified.chart("confusion", threshold=0.5)) == wanted


@pytest.mark.parametrize("threshold", [None, 0.45, 0.9])
def test_the_outcomes_of_the_matrix_are_scikit_learns(classified: Classified, threshold: float | None) -> None:
    taken = classified.scores.argmax(axis=1)
    if threshold is not None:
        taken = np.where(classified.scores.max(axis=1) >= threshold, taken, 4)
    precision, recall, f1, _ = precision_recall_fscore_support(
        classified.truth, taken, labels=range(4), zero_division=0
    )
    micro = precision_recall_fscore_support(classified.truth, taken, labels=range(4), average="micro")

    chart = classified.chart("confusion", threshold=threshold)

    assert [outcome.name for outcome in chart.outcomes] == [*LABELS, "all"]
    for place, outcome in enumerate(chart.outcomes[:-1]):
        assert (outcome.precision, outcome.recall, outcome.f1) == pytest.approx(
            (precision[place], recall[place], f1[place])
        )
        assert outcome.true_negatives == ((classified.truth != place) & (taken != place)).sum()
    together = chart.outcomes[-1]
    assert (together.precision, together.recall, together.f1) == pytest.approx(micro[:3])
    assert chart.threshold == threshold


def test_a_cell_leads_to_its_samples(classified: Classified) -> None:
    among = np.arange(100, 400)
    for threshold in (None, 0.6):
        question = ChartQuestion("confusion", threshold=threshold)
        taken = classified.scores.argmax(axis=1)
        if threshold is not None:
            taken = np.where(classified.scores.max(axis=1) >= threshold, taken, 4)
        for group in chart_of(classified.population, question, among).groups:
            true, predicted = str(group.y), str(group.x)
            number = 4 if predicted == "no answer" else LABELS.index(predicted)
            wanted = among[(classified.truth[among] == LABELS.index(true)) & (taken[among] == number)]
            found = cell_rows(classified.population, question, true, predicted, among)
            np.testing.assert_array_equal(found, wanted)
            assert len(found) == group.count
    with pytest.raises(QuestionError, match="no predicted label 'no answer'"):
        cell_rows(classified.population, ChartQuestion("confusion"), "eel", "no answer")
    with pytest.raises(QuestionError, match="no true label 'dog'"):
        cell_rows(classified.population, ChartQuestion("confusion"), "dog", "eel")


def test_a_matrix_of_one_label_is_its_row_and_its_column(classified: Classified) -> None:
    whole = classified.chart("confusion")
    chart = classified.chart("confusion", label="cat")

    assert cells(chart) == {names: count for names, count in cells(whole).items() if "cat" in names}
    assert [outcome.name for outcome in chart.outcomes] == ["cat"]
    with pytest.raises(MissingError, match="no label 'dog'; there are eel, ant, cat, bee"):
        classified.chart("confusion", label="dog")


def test_roc_and_precision_recall_are_scikit_learns_of_each_label_and_of_all(classified: Classified) -> None:
    among = np.arange(0, 500, 3)
    expected = classified.truth[among, None] == np.arange(4)
    scores = classified.scores[among]
    for kind, measure in (("roc", roc_auc_score), ("precision-recall", average_precision_score)):
        chart = classified.chart(kind, among)
        assert [group.name for group in chart.groups] == [*LABELS, "all"]
        assert [curve.name for curve in chart.curves] == [*LABELS, "all"]
        wanted = [measure(expected[:, place], scores[:, place]) for place in range(4)]
        wanted.append(measure(expected.ravel(), scores.ravel()))
        assert [group.value for group in chart.groups] == pytest.approx(wanted, abs=1e-12)
        assert [group.count for group in chart.groups] == [*expected.sum(axis=0), len(among)]
        assert chart.measures["mean"] == pytest.approx(np.mean(wanted[:4]))
        for outcome, truths, given in zip(
            chart.best, (*expected.T, expected.ravel()), (*scores.T, scores.ravel()), strict=True
        ):
            best = max(f1_score(truths, given >= threshold) for threshold in np.unique(given))
            assert outcome.f1 == pytest.approx(best)
            assert f1_score(truths, given >= outcome.threshold) == pytest.approx(best)
        assert chart.threshold == chart.best[-1].threshold
        assert chart.outcomes[-1] == chart.best[-1]


def test_the_outcomes_of_a_curve_are_those_of_each_label_against_the_others(classified: Classified) -> None:
    for threshold in (0.2, 0.7):
        chart = classified.chart("roc", threshold=threshold)
        for place, outcome in enumerate(chart.outcomes[:-1]):
            claimed, true = classified.scores[:, place] >= threshold, classified.truth == place
            assert outcome.true_positives == (claimed & true).sum()
            assert outcome.false_positives == (claimed & ~true).sum()
        alone = classified.chart("roc", threshold=threshold, label="ant")
        assert alone.outcomes == [chart.outcomes[1]]
        assert [curve.name for curve in alone.curves] == ["ant"]
        assert alone.groups == [chart.groups[1]]
    assert classified.chart("roc", label="ant").threshold == classified.chart("roc").best[1].threshold


def test_calibration_is_of_the_surest_label_or_of_one(classified: Classified) -> None:
    best = classified.scores.max(axis=1)
    right = classified.scores.argmax(axis=1) == classified.truth
    for label, confidence, hits in (
        (None, best, right),
        ("cat", classified.scores[:, 2], classified.truth == 2),
    ):
        chart = classified.chart("calibration", label=label, bins=10)
        wanted: list[tuple[int, float, float]] = []
        for low in range(10):
            inside = (confidence > low / 10) & (confidence <= (low + 1) / 10) | ((low == 0) & (confidence == 0))
            if inside.any():
                wanted.append((int(inside.sum()), float(confidence[inside].mean()), float(hits[inside].mean())))
        assert [(group.count, group.x, group.value) for group in chart.groups] == [
            pytest.approx(each) for each in wanted
        ]
        error = sum(count * abs(share - mean) for count, mean, share in wanted) / 500
        assert chart.measures["ece"] == pytest.approx(error)
    assert len(classified.chart("calibration").groups) <= 15


def objects(path: Path, elements: list[Element], samples: int = 3) -> Population:
    return open_population(
        write_run(
            path,
            ["training"] * samples,
            {},
            confusion={"metric.taken": elements},
            predictions=(PredictionSpec("boxes", ("x", "y", "car", "bus"), -1),),
        )
    )


BY_HAND: list[Element] = [
    (0, "car", True, 0.9, "object 0"),  # found
    (0, "bus", True, 0.0, "object 1"),  # a bus that is taken for a car
    (0, "car", False, 0.6, "object 1"),
    (0, "car", True, 0.0, "object 2"),  # missed
    (0, "background", False, 1.0, "object 2"),
    (1, "background", True, 0.0, "false alarm 3"),
    (1, "bus", False, 0.8, "false alarm 3"),
    (1, "bus", True, 0.5, "object 0"),  # found, with less confidence than the false alarm
    (1, "car", True, 0.3, "object 1"),
]


def test_objects_by_hand_and_a_threshold_that_moves(tmp_path: Path) -> None:
    population = objects(tmp_path / "run", BY_HAND)

    def matrix(threshold: float | None) -> dict[tuple[str, str], int]:
        return cells(chart_of(population, ChartQuestion("confusion", threshold=threshold)))

    whole = chart_of(population, ChartQuestion("confusion"))
    assert (whole.x_axis.categories, whole.of, whole.notices) == (["car", "bus", "background"], "objects", [])
    assert matrix(None) == {
        ("car", "car"): 2, ("car", "background"): 1, ("bus", "car"): 1, ("bus", "bus"): 1, ("background", "bus"): 1,
    }  # fmt: skip
    assert matrix(0.4) == {
        ("car", "car"): 1, ("car", "background"): 2, ("bus", "car"): 1, ("bus", "bus"): 1, ("background", "bus"): 1,
    }  # fmt: skip
    assert matrix(0.7) == {
        ("car", "car"): 1, ("car", "background"): 2, ("bus", "bus"): 0, ("bus", "background"): 2,
        ("background", "bus"): 1,
    }  # fmt: skip
    assert matrix(0.85) == {
        ("car", "car"): 1, ("car", "background"): 2, ("bus", "bus"): 0, ("bus", "background"): 2,
    }  # fmt: skip
    question = ChartQuestion("confusion")
    assert cell_rows(population, question, "car", "car").tolist() == [0, 1]
    assert cell_rows(population, question, "bus", "car").tolist() == [0]
    assert cell_rows(population, question, "background", "bus").tolist() == [1]
    assert cell_rows(population, ChartQuestion("confusion", threshold=0.4), "car", "background").tolist() == [0, 1]
    told = whole.told
    assert "Of 5 objects 3 are found for what they are, 1 is missed and 1 is taken for another label" in told
    assert "there is 1 false alarm." in told
    car = next(outcome for outcome in whole.outcomes if outcome.name == "car")
    assert (car.true_positives, car.false_positives, car.false_negatives, car.true_negatives) == (2, 1, 1, None)


def test_the_average_precision_of_objects_counts_those_that_are_missed(tmp_path: Path) -> None:
    chart = chart_of(objects(tmp_path / "run", BY_HAND), ChartQuestion("precision-recall"))

    # car: 0.9 right, 0.6 wrong, 0.3 right; three cars. bus: 0.8 wrong, 0.5 right; two buses.
    car, bus = (1 + 2 / 3) / 3, (1 / 2) / 2
    # all: 0.9 right, 0.8 wrong, 0.6 wrong, 0.5 right, 0.3 right; five objects
    together = (1 + 2 / 4 + 3 / 5) / 5
    assert [(group.name, group.count) for group in chart.groups] == [("car", 3), ("bus", 2), ("all", 5)]
    assert [group.value for group in chart.groups] == pytest.approx([car, bus, together])
    assert chart.curves[0].x == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert chart.curves[0].y == pytest.approx([1, 1 / 2, 2 / 3])
    assert chart.curves[0].threshold == pytest.approx([0.9, 0.6, 0.3])
    assert [(outcome.name, outcome.threshold) for outcome in chart.best] == [("car", 0.3), ("bus", 0.5), ("all", 0.3)]
    calibration = chart_of(objects(tmp_path / "other", BY_HAND), ChartQuestion("calibration", bins=2))
    assert [group.count for group in calibration.groups] == [2, 3]
    assert [group.value for group in calibration.groups] == pytest.approx([1, 1 / 3])
    with pytest.raises(QuestionError, match="nothing counts that; draw precision-recall"):
        chart_of(objects(tmp_path / "third", BY_HAND), ChartQuestion("roc"))


def test_objects_are_chosen_with_their_samples(tmp_path: Path) -> None:
    population = objects(tmp_path / "run", BY_HAND)

    chart = chart_of(population, ChartQuestion("confusion"), np.array([1, 2]))
    assert cells(chart) == {("car", "car"): 1, ("bus", "bus"): 1, ("background", "bus"): 1}
    nothing = chart_of(population, ChartQuestion("confusion"), np.array([2]))
    assert (nothing.groups, nothing.told) == ([], "None of these samples has objects or claims to judge by.")
    curve = chart_of(population, ChartQuestion("precision-recall"), np.array([2]))
    assert (curve.curves, curve.told) == ([], "There is no object to be found in these samples.")


def test_objects_of_an_earlier_run_are_drawn_and_told_to_be_without_pairs(tmp_path: Path) -> None:
    with_ids = objects(tmp_path / "new", BY_HAND)
    objects(tmp_path / "old", BY_HAND)
    without_ids(tmp_path / "old")
    old = open_population(tmp_path / "old")

    chart = chart_of(old, ChartQuestion("confusion"))
    assert cells(chart) == {
        ("car", "car"): 2, ("car", "background"): 1, ("bus", "bus"): 1, ("bus", "background"): 1,
        ("background", "bus"): 1, ("background", "car"): 1,
    }  # fmt: skip
    assert "`leaplab evaluate --only metrics` adds them." in chart.notices[0]
    assert "Of 5 objects 3 are found for what they are and 2 are missed or taken for another label" in chart.told
    curve, known = (chart_of(each, ChartQuestion("precision-recall")) for each in (old, with_ids))
    assert curve.groups == known.groups  # which does not need to know the pairs
    unpaired = [(*each[:4], "") for each in BY_HAND]
    told = chart_of(objects(tmp_path / "unpaired", unpaired), ChartQuestion("confusion")).notices[0]
    assert "give each ConfusionMatrixElement the `id` of its object." in told


@pytest.mark.parametrize("of_column", [False, True])
def test_a_run_without_a_confusion_metric_is_judged_by_its_predictions(tmp_path: Path, of_column: bool) -> None:
    generator = np.random.default_rng(4)
    truth = generator.integers(0, 3, 200)
    scores = generator.dirichlet(np.ones(3), 200).astype(np.float32)
    scores[:2] = np.nan
    names = ("ant", "bee", "cat")
    arrays: dict[str, Any] = {"predictions": {"sort": scores}}
    columns: dict[str, Any] = {"metadata.height": ("float", truth * 2.0)}
    if of_column:
        columns["metadata.label"] = ("string", [names[code] if row > 9 else None for row, code in enumerate(truth)])
    else:
        arrays["ground_truths"] = {"sort": np.eye(3, dtype=np.float32)[truth]}
    run = write_run(
        tmp_path / "run", ["training"] * 200, columns, arrays=arrays, predictions=(PredictionSpec("sort", names, -1),)
    )
    known = np.arange(10 if of_column else 2, 200)
    population = open_population(run)

    matrix = chart_of(population, ChartQuestion("confusion"))
    wanted = confusion_matrix(truth[known], scores[known].argmax(axis=1), labels=range(3))
    assert cells(matrix) == {(names[a], names[b]): count for (a, b), count in np.ndenumerate(wanted) if count}
    assert (matrix.x, matrix.count, matrix.absent) == (None, len(known), 200 - len(known))
    if not of_column:
        assert matrix.notices == ["2 samples have a score that is NaN or infinite, and are left out."]
    roc = chart_of(population, ChartQuestion("roc"))
    assert roc.groups[1].value == pytest.approx(roc_auc_score(truth[known] == 1, scores[known, 1]))
    curve = chart_of(population, ChartQuestion("precision-recall"))
    assert curve.groups[2].value == pytest.approx(average_precision_score(truth[known] == 2, scores[known, 2]))
    assert chart_of(population, ChartQuestion("calibration")).count == len(known)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_nothing_judges_says_so(tmp_path: Path, kind: str) -> None:
    run = write_run(tmp_path / "run", ["training"] * 3, {"loss.a": ("float", [1, 2, 3])})

    chart = chart_of(open_population(run), ChartQuestion(kind))
    assert (chart.groups, chart.curves, chart.outcomes) == ([], [], [])
    assert chart.told.startswith("No metric of this run gives confusion elements")
    assert (chart.count, chart.absent) == (0, 3)
    with pytest.raises(MissingError, match="no confusion elements of 'metric.iou'; it has none"):
        chart_of(open_population(run), ChartQuestion(kind, x="metric.iou"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_told_nothing_and_a_selection_without_labels_say_so(tmp_path: Path, kind: str) -> None:
    empty = write_run(tmp_path / "empty", ["training"] * 3, {}, confusion={"metric.which": []})
    assert chart_of(open_population(empty), ChartQuestion(kind)).told

    classified = Classified(tmp_path / "run", 3, 40)
    chart = classified.chart(kind, np.zeros(0, np.int64))
    assert (chart.groups, chart.curves) == ([], [])
    assert chart.told == "None of these samples has a known label and scores to judge by."


def test_samples_of_one_class_have_a_matrix_but_no_curve(tmp_path: Path) -> None:
    classified = Classified(tmp_path / "run", 3, 80)
    ants = np.flatnonzero(classified.truth == 1)

    matrix = classified.chart("confusion", ants)
    assert {true for true, _ in cells(matrix)} == {"ant"}
    for kind in ("roc", "precision-recall"):
        chart = classified.chart(kind, ants)
        assert (chart.groups, chart.curves) == ([], [])
        assert chart.told == f"All of these {len(ants)} samples are ant; a curve needs some that are not."
    two = np.flatnonzero(classified.truth < 2)
    chart = classified.chart("roc", two)
    assert [group.value is None for group in chart.groups] == [False, False, True, True, False]
    assert [curve.name for curve in chart.curves] == ["eel", "ant", "all"]
    assert chart.notices == ["There is nothing to find of cat, bee here, or nothing else."]


def test_what_is_asked_for_in_vain_is_one_sentence(tmp_path: Path) -> None:
    classified = Classified(tmp_path / "run", 3, 40)
    for kind in KINDS:
        with pytest.raises(QuestionError, match="takes no split"):
            classified.chart(kind, split="sample.state")
        with pytest.raises(QuestionError, match="takes no y"):
            classified.chart(kind, y="loss.a")
        with pytest.raises(QuestionError, match="is of samples"):
            classified.chart(kind, of="objects")
        with pytest.raises(MissingError):
            classified.chart(kind, x="metric.accuracy")


def test_scores_that_are_no_probabilities_have_curves_but_no_calibration(tmp_path: Path) -> None:
    elements: list[Element] = []
    for row in range(6):
        elements += [(row, "a", row < 3, 4.0 - row, ""), (row, "b", row >= 3, row - 4.5, "")]
    population = open_population(write_run(tmp_path / "run", ["test"] * 6, {}, confusion={"metric.which": elements}))

    assert chart_of(population, ChartQuestion("roc")).groups[0].value == 1
    chart = chart_of(population, ChartQuestion("calibration"))
    assert chart.groups == []
    assert chart.told.startswith("The model's scores are no probabilities")


def test_a_single_label_is_claimed_from_one_half_on(tmp_path: Path) -> None:
    found = [0.9, 0.5, 0.4, 0.2, 0.6]
    true = [True, True, True, False, False]
    elements = [
        (row, "defect", is_true, score, "") for row, (is_true, score) in enumerate(zip(true, found, strict=True))
    ]
    population = open_population(write_run(tmp_path / "run", ["test"] * 5, {}, confusion={"metric.which": elements}))

    no = "not defect"
    matrix = chart_of(population, ChartQuestion("confusion"))
    assert cells(matrix) == {("defect", "defect"): 2, ("defect", no): 1, (no, "defect"): 1, (no, no): 1}
    stricter = chart_of(population, ChartQuestion("confusion", threshold=0.55))
    assert cells(stricter) == {("defect", "defect"): 1, ("defect", no): 2, (no, "defect"): 1, (no, no): 1}
    assert cell_rows(population, ChartQuestion("confusion"), "defect", no).tolist() == [2]
    assert [(o.name, o.true_positives, o.false_positives, o.false_negatives) for o in matrix.outcomes[:1]] == [
        ("defect", 2, 1, 1)
    ]
    roc = chart_of(population, ChartQuestion("roc"))
    assert roc.groups[0].value == pytest.approx(roc_auc_score(true, found))
    calibration = chart_of(population, ChartQuestion("calibration"))
    assert calibration.measures["confidence"] == pytest.approx(np.mean(found))


def test_samples_of_several_labels_have_curves_and_are_left_out_of_the_matrix(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    expected, scores = generator.random((60, 3)) < 0.4, generator.random((60, 3))
    elements = [
        (row, label, bool(expected[row, place]), float(scores[row, place]), "")
        for row in range(60)
        for place, label in enumerate("abc")
    ]
    population = open_population(write_run(tmp_path / "run", ["test"] * 60, {}, confusion={"metric.which": elements}))
    one = expected.sum(axis=1) == 1

    chart = chart_of(population, ChartQuestion("confusion"))
    assert (chart.count, chart.absent) == (one.sum(), 60 - one.sum())
    assert chart.notices == [
        f"{60 - one.sum()} samples have no true label, or several; the confusion matrix leaves them out."
    ]
    roc = chart_of(population, ChartQuestion("roc"))
    assert roc.groups[0].value == pytest.approx(roc_auc_score(expected[:, 0], scores[:, 0]))


def test_of_many_labels_those_with_the_most_mistakes_have_room(tmp_path: Path) -> None:
    labels = [f"label {number:02d}" for number in range(40)]
    generator = np.random.default_rng(1)
    truth = np.repeat(np.arange(40), 6)
    scores = 0.1 * generator.random((240, 40))
    scores[np.arange(240), truth] = 0.9
    for label in range(35):  # of 35 labels one sample is wrong, of the last ones none
        scores[label * 6, (label + 1) % 35] = 1.0
    elements = [
        (row, label, bool(truth[row] == place), float(scores[row, place]), "")
        for row in range(240)
        for place, label in enumerate(labels)
    ]
    population = open_population(write_run(tmp_path / "run", ["test"] * 240, {}, confusion={"metric.which": elements}))

    chart = chart_of(population, ChartQuestion("confusion"))
    assert chart.x_axis.categories == chart.y_axis.categories
    assert len(chart.x_axis.categories or ()) == 30
    assert not set(labels[35:]) & set(chart.x_axis.categories or ())
    assert chart.notices == ["Of 40 labels the 30 with the most mistakes are drawn."]
    assert len(chart.outcomes) == 41
    curves = chart_of(population, ChartQuestion("precision-recall"))
    assert len(curves.curves) == 31
    assert len(curves.groups) == 41
