import numpy as np
import pytest

from leaplab.analysis.differences import Values
from leaplab.analysis.insight.wording import (
    counted,
    first_of,
    is_count,
    listed,
    say_the_same,
    sentence,
    told_p,
    too_few_classes,
)

WHOLE = Values(np.array([0.0, 3.0, np.nan, 12.0]))


@pytest.mark.parametrize(("p", "told"), [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (0.0348, "0.035")])
def test_a_small_p_is_told_as_such(p, told):
    assert told_p(p) == told


def test_one_and_many():
    assert [counted(count, "sample") for count in (0, 1, 1200)] == ["0 samples", "1 sample", "1,200 samples"]
    assert too_few_classes("test", 1, 5, "object").startswith("In test one class has 5 labelled objects or more")
    assert too_few_classes("test", 0, 5, "object").startswith("In test no class has 5 labelled objects or more")


def test_lists():
    assert [listed(names) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
    assert listed("abc", "or") == "a, b or c"
    told = [first_of(list(names)) for names in ("a", "abcde", "abcdefg")]
    assert told == ["a", "a, b, c, d, e", "a, b, c, d, e and 2 more"]
    assert [first_of(list(names), 1) for names in ("a", "ab")] == ["a", "a and 1 more"]
    assert say_the_same(["b"], "a") == "b says nearly the same as a."
    assert say_the_same(["b", "c"], "a") == "b, c say nearly the same as a."
    assert sentence("only JPEG was looked at") == "Only JPEG was looked at."


@pytest.mark.parametrize(
    "name",
    ["objects_all", "objects_of_car", "objects_not_kept", "objects_overlapping_pairs", "count_instances", "n_boxes",
     "box_count", "number_of_objects", "objects", "small_objects", "objects.total"],
)  # fmt: skip
def test_a_count_is_known_by_its_name(name):
    assert is_count(f"metadata.{name}", WHOLE)
    assert is_count(name, WHOLE)


@pytest.mark.parametrize(
    "name", ["boxes_min_area", "boxes_mean_height", "counter", "country", "year", "objects_share", "nothing", "totals"]
)
def test_what_is_no_count_is_known_by_its_name(name):
    assert not is_count(f"metadata.{name}", WHOLE)


@pytest.mark.parametrize("numbers", [[0.5, 1.0], [-1.0, 2.0]])
def test_a_count_is_whole_and_not_negative(numbers):
    assert not is_count("metadata.objects", Values(np.array(numbers)))


def test_categories_are_counts_where_they_are_whole_numbers():
    codes = np.array([0.0, 1.0])
    assert is_count("metadata.objects", Values(codes, ["3", "7"]))
    assert not is_count("metadata.objects", Values(codes, ["few", "many"]))
    assert not is_count("metadata.objects", Values(codes, ["-3", "7"]))
