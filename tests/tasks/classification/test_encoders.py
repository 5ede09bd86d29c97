import numpy as np
import pytest

from tasks.classification.encoders import one_hot


def test_one_hot_is_the_row_of_the_identity() -> None:
    for label in range(10):
        encoded = one_hot(label, 10)
        assert encoded.dtype == np.float32
        np.testing.assert_array_equal(encoded, np.identity(10)[label])


@pytest.mark.parametrize("label", [-1, 10, 255])
def test_a_label_outside_the_classes_is_refused_by_name(label: int) -> None:
    with pytest.raises(ValueError, match=f"Label {label} is not one of the 10 classes 0..9."):
        one_hot(label, 10)
