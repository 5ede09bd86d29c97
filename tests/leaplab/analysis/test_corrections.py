import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaplab.analysis.corrections import holm


def test_holm_is_the_worked_example():
    # .005 x 4, .01 x 3, .03 x 2, and .04 not below the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_corrected_p_lies_between_its_own_and_bonferronis(p):
    for one, corrected in zip(p, holm(p), strict=True):
        assert one <= corrected <= min(1, len(p) * one)
