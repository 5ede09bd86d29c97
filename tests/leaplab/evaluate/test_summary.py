import numpy as np
import pytest

from leaplab.evaluate.summary import summarize


def test_means_are_over_finite_values_and_the_rest_is_counted(tiny_run, stored_rows):
    summary = summarize(tiny_run)

    for state in ("training", "validation"):
        rows = [row for row in stored_rows(tiny_run) if row["state"] == state]
        losses = [row["loss.defined_for_some"] for row in rows]
        assert summary[state]["samples"] == 25
        assert summary[state]["means"]["loss.defined_for_some"] == pytest.approx(np.nanmean(losses))
        assert summary[state]["not_finite"]["loss.defined_for_some"] == np.isnan(losses).sum() > 0
        assert summary[state]["means"]["metric.accuracy"] == pytest.approx(
            np.mean([r["metric.accuracy"] for r in rows])
        )
        assert summary[state]["not_finite"]["metric.accuracy"] == 0


def test_metrics_that_are_neither_better_nor_worse_have_no_mean(tiny_run):
    assert set(summarize(tiny_run)["training"]["means"]) == {
        *("loss.cross_entropy", "loss.defined_for_some"),
        *("metric.accuracy", "metric.spread_gap", "metric.shortfall", "metric.shortfall_1"),
    }
