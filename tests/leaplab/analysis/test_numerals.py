import pytest

from leaplab.analysis.differences import Difference
from leaplab.analysis.numerals import numeral
from leaplab.analysis.rules import Condition


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (9240.0, "9,240"),
        (1234567.8, "1,234,568"),
        (-1500.0, "-1,500"),
        (999.6, "1,000"),
        (999.4, "999"),
        (0.123456, "0.123"),
        (2.0, "2"),
        (0.0, "0"),
        (0.00001234, "1.23e-05"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_is_told_as_a_person_reads_it(value, told):
    assert numeral(value) == told


def test_digits_count_below_a_thousand_alone():
    assert numeral(999.64, 4) == "999.6"
    assert numeral(999.96, 4) == "1,000"
    assert numeral(123456.7, 4) == "123,457"


def test_differences_and_conditions_tell_their_numbers_so():
    assert Difference("file.size", 9240.0, 12.345, 0.5, 0.001).told() == "file.size 9,240 (else 12.3)"
    assert Difference("k", {"cat": 0.754}, {"cat": 0.1}, 0.5, 0.001).told() == "k cat: 75% (else 10%)"
    assert Condition("a", low=1234.5, high=98765.0).told() == "a from 1,234 to 98,765"
    assert Condition("a", low=12.3456).told() == "a from 12.35"
    assert Condition("a", high=12345.6).told() == "a at most 12,346"
