import numpy as np
import pytest

from tasks.classification.labelled_images import Images, LabelledImages

IMAGES = np.arange(24, dtype=np.uint8).reshape(3, 2, 4)


def test_image_and_label_are_those_of_the_ids_row() -> None:
    samples = LabelledImages(IMAGES, ("c", "a", "b"), np.array([7, 0, 2], np.uint8))
    np.testing.assert_array_equal(samples.image("a"), IMAGES[1])
    assert [samples.label(sample_id) for sample_id in ("a", "b", "c")] == [0, 2, 7]
    assert type(samples.label("c")) is int
    assert samples.rows == {"c": 0, "a": 1, "b": 2}


def test_without_labels_every_label_is_unknown() -> None:
    samples = Images(IMAGES, ("a", "b", "c"))
    assert samples.label("b") is None
    np.testing.assert_array_equal(samples.image("b"), IMAGES[1])


def test_an_unknown_id_is_an_error() -> None:
    with pytest.raises(KeyError, match="'d'"):
        Images(IMAGES, ("a", "b", "c")).image("d")
