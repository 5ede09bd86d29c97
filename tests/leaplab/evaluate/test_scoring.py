import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from code_loader.contract.datasetclasses import ConfusionMatrixElement
from code_loader.contract.enums import ConfusionMatrixValue

from leaplab.errors import LeaplabError
from leaplab.evaluate.scoring import Batch, score
from leaplab.integration.description import Node, Source

GUESS = np.array([[0.25], [0.5]], np.float32)


def scored(result, arguments=None) -> Any:
    """The scores of two samples where the only metric returns `result`."""
    node = Node("gap", "gap", {"guess": Source("prediction")} if arguments is None else arguments)
    integration = SimpleNamespace(
        description=SimpleNamespace(losses=(), metrics=(node,)),
        run_loss=None,
        run_metric=lambda *_: result,
    )
    batch = Batch("training", ["a", "b"], {"image": GUESS}, {}, [GUESS])
    return score(integration, batch, float16=False)


@pytest.mark.parametrize(
    "result",
    [
        np.array([0.5, 2.0], np.float32),
        np.array([0.5, 2.0], np.float16),
        [0.5, 2],
        (0.5, np.float32(2)),
        SimpleNamespace(numpy=lambda: np.array([0.5, 2.0])),  # a tensor
    ],
)
def test_arrays_lists_and_tensors_of_one_value_a_sample_are_a_column(result):
    assert scored(result).columns == {"metric.gap": [0.5, 2.0]}


def test_nan_stays_nan_and_absent_stays_absent():
    first, second = scored([float("nan"), None]).columns["metric.gap"]

    assert math.isnan(first)
    assert second is None


def test_dictionary_gives_a_column_a_key():
    assert scored({"low": [1, 2], "high": np.array([3.0, 4.0])}).columns == {
        "metric.gap_low": [1.0, 2.0],
        "metric.gap_high": [3.0, 4.0],
    }


def test_confusion_elements_know_their_sample():
    yes, no = ConfusionMatrixValue.Positive, ConfusionMatrixValue.Negative
    elements = [[], [ConfusionMatrixElement("cat", yes, 0.75), ConfusionMatrixElement("dog", no, 0.25)]]

    found = scored(elements)

    assert found.columns == {}
    confusion = found.confusion["metric.gap"]
    assert (confusion.offset, confusion.label) == ([1, 1], ["cat", "dog"])
    assert (confusion.expected, confusion.probability) == ([True, False], [0.75, 0.25])


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (np.zeros(3), "Metric 'gap' returned 3 values for a batch of 2 samples"),
        (np.zeros((2, 1)), r"Metric 'gap' returned shape \(2, 1\), not one value a sample"),
        ([1.0], "returned 1 values for a batch of 2"),
        ([[], [], []], "returned 3 values for a batch of 2"),
        ({"low": [1.0]}, "Metric 'gap_low' returned 1 values"),
        (0.5, "Metric 'gap' returned a float"),
        (None, "returned a NoneType"),
        ("ab", "returned a str"),
        (["a", "b"], "returned what is no number"),
    ],
)
def test_anything_else_is_told_by_the_handler_s_name(result, told):
    with pytest.raises(LeaplabError, match=told):
        scored(result)


def test_handler_that_needs_a_missing_ground_truth_is_not_run():
    assert scored(1 / 1, {"truth": Source("ground_truth", "classes")}).columns == {}


def test_wiring_beyond_the_model_s_outputs_is_told():
    with pytest.raises(LeaplabError, match="'gap' takes output 3 of the model, which has 1"):
        scored([1, 2], {"guess": Source("prediction", index=3)})
