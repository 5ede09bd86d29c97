"""The grammar of column names."""

import pytest

from leaplab.store.columns import column_of, declared_of, group_of, key_column, label_of, owner_of


@pytest.mark.parametrize(
    ("column", "group", "label"),
    [
        ("metadata.label", "metadata", "label"),
        ("sample.state", "sample", "state"),
        ("loss.a", "loss", "a"),
        ("metric.iou_car", "metric", "iou_car"),
        ("input.brightness", "input", "brightness"),
        ("analysis.cluster", "analysis", "cluster"),
        ("metric.mAP@0.5", "metric", "mAP@0.5"),  # the first dot parts, whatever comes after
        ("metric.loss.a", "metric", "loss.a"),
        ("metadata.", "metadata", ""),
        ("sample_id", "", "sample_id"),
        ("loss", "", "loss"),  # a group's name alone is no column of it
        ("", "", ""),
        ("mask.share", "", "mask.share"),  # nor is everything with a dot
        ("Loss.a", "", "Loss.a"),
        ("my.loss.a", "", "my.loss.a"),
    ],
)
def test_column_has_a_group_and_a_name(column, group, label):
    assert (group_of(column), label_of(column)) == (group, label)
    if group:
        assert column_of(group, label) == column


def test_there_is_no_other_group():
    with pytest.raises(AssertionError, match="masks"):
        column_of("masks", "share")


def test_key_of_a_dictionary_has_a_column_and_no_key_is_the_handler_s_own():
    assert key_column("metric.iou", "car") == "metric.iou_car"
    assert key_column("metric.iou", "") == "metric.iou"


@pytest.mark.parametrize(
    ("column", "owner"),
    [
        ("metric.iou", "metric.iou"),
        ("metric.iou_car", "metric.iou"),
        ("metric.iou_mean", "metric.iou_mean"),
        ("metric.iou_mean_car", "metric.iou_mean"),  # the longest that fits
        ("metric.iou_meaning", "metric.iou"),
        ("metric.ious", None),  # a key is parted by an underscore
        ("metric.io", None),
        ("my metric.iou", None),
    ],
)
def test_column_is_of_the_longest_declared_name_that_fits(column, owner):
    declared = {"metric.iou": 1, "metric.iou_mean": 2}

    assert owner_of(column, declared) == owner_of(column, reversed(declared)) == owner
    assert declared_of(column, declared, 0) == (0 if owner is None else declared[owner])
