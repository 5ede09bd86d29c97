"""What a probe takes note of, and what it makes of ids and values."""

import numpy as np
import pytest

from leaplab.protocol.observations import Observation, Probe, Topic
from leaplab.worker.probing import _unusual
from leaplab.worker.probing_samples import _probe_metadata


class Name(str):
    """A text of another type."""


def test_a_topic_that_no_rule_knows_is_an_error() -> None:
    probe = Probe()
    with pytest.raises(ValueError, match="is not a valid Topic"):
        probe.note("ids.twcie", "training", "'a' occurs 2 times")


def test_the_same_of_a_handler_is_noted_once() -> None:
    probe = Probe()
    probe.note(Topic.HANDLER_RANDOM, "image", "first")
    probe.note("handler.random", "image", "second")
    probe.note(Topic.HANDLER_RANDOM, "bias", "third")
    assert [seen.text for seen in probe.observations] == ["first", "third"]
    # Plain text crosses to the other process.
    assert probe.observations[0] == Observation("handler.random", "image", "first")
    assert {type(seen.topic) for seen in probe.observations} == {str}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["a", "b"], ""),
        (("a", "b"), ""),
        (range(3), ""),
        ([0, 1], ""),
        ([], ""),
        ([np.str_("a")], ""),
        ([["a", "b"], ["c"]], ""),
        (np.array(["a"]), "in a numpy.ndarray"),
        ({"a": 1}.keys(), "in a dict_keys"),
        ([0, True], "of the type bool"),
        ([np.int64(0)], "of the type numpy.int64"),
        ([["a"], ["b", Name("c")]], f"of the type {Name.__module__}.Name"),
    ],
)
def test_ids_that_newer_code_loaders_refuse_are_unusual(given: object, says: str) -> None:
    assert _unusual(given) == says


@pytest.mark.parametrize(
    ("value", "declared", "topic"),
    [
        ("False", "boolean", Topic.METADATA_TEXT),
        ("", "boolean", Topic.METADATA_TEXT),
        (False, "boolean", None),
        (0, "boolean", None),
        (None, "boolean", None),
        ("12,5", "float", Topic.METADATA_TEXT),
        ("12.5", "float", None),
        ("12.5", "int", Topic.METADATA_TEXT),
        ("12", "int", None),
        ("False", "string", None),
        (2**53, "int", None),
        (2**53 + 1, "int", Topic.METADATA_LARGE),
        (-(2**53) - 1, "int", Topic.METADATA_LARGE),
        (np.int64(2**60), "int", Topic.METADATA_LARGE),
        (np.uint64(2**63), "int", Topic.METADATA_LARGE),
        (1e300, "float", None),
    ],
)
def test_values_that_become_something_else_are_noted(value: object, declared: str, topic: Topic | None) -> None:
    probe = Probe()
    _probe_metadata("column", value, declared, "sample 'a' of training", probe.note)
    assert [seen.topic for seen in probe.observations] == ([] if topic is None else [topic])
    assert all("'column' of sample 'a' of training is" in seen.text for seen in probe.observations)
