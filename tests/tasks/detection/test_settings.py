"""The settings that any detector has: what is refused, and what the rest of the code is told."""

import pytest
from code_loader.contract.enums import DatasetMetadataType

from tasks.detection.augmentation import Augmentation
from tasks.detection.declarations import declared, row_labels
from tasks.detection.decode import Decoding
from tasks.detection.settings import DetectionConfig, Detector, Input, LossWeights, Training

TWO, THREE = ((8.0, 8.0), (8.0, 20.0)), ((8.0, 8.0), (8.0, 20.0), (9.0, 9.0))
DETECTOR = Detector(strides=(8, 16), anchors=(TWO, TWO))
DECODING = Decoding(least_score=0.25, suppression_iou=0.5, most=100)


class Sized(Input, frozen=True):
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width


def config(height: int, width: int, detector: Detector = DETECTOR) -> DetectionConfig:
    recipe = Training(
        epochs=2, warmup_epochs=1, batch_size=8, learning_rate=0.1, weight_decay=0.0, width=0.5, clipnorm=10.0,
        precision_every=1, augmentation=Augmentation(zoom=(1.0, 1.0), shift=0.0, colour=0.0),
    )  # fmt: skip
    return DetectionConfig(
        labels=("car", "bus"), model="models/x.onnx", seed=1, training=recipe, detector=detector, decoding=DECODING,
        input=Sized(layout="NHWC", most_objects=5, height=height, width=width), matching_iou=0.5,
        loss_weights=LossWeights(box=0.05, objectness=0.7, classes=0.3),
    )  # fmt: skip


def test_each_stride_has_its_level_of_anchors() -> None:
    with pytest.raises(ValueError, match=r"^strides \(3\) and anchors \(2\) must be as many levels$"):
        Detector(strides=(8, 16, 32), anchors=(TWO, TWO))


def test_every_level_has_as_many_anchors() -> None:
    with pytest.raises(ValueError, match=r"^every level of anchors must have as many as the first$"):
        Detector(strides=(8, 16), anchors=(TWO, THREE))
    assert Detector(strides=(8, 16), anchors=(THREE, THREE)).anchors == (THREE, THREE)


@pytest.mark.parametrize(("height", "width"), [(40, 96), (96, 40)])
def test_a_side_that_the_coarsest_stride_does_not_divide_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match="multiples of the largest stride, 16$"):
        config(height, width)


def test_the_rest_of_the_code_is_told_sizes_and_rules() -> None:
    told = config(64, 96)
    assert (told.grid.height, told.grid.width, told.grid.strides, told.grid.anchors) == (64, 96, (8, 16), (TWO, TWO))
    rules = told.rules
    assert (rules.labels, rules.decoding, rules.matching_iou) == (("car", "bus"), DECODING, 0.5)
    assert (rules.height, rules.width) == (64, 96)
    assert told.loss_weights.in_order == (0.05, 0.7, 0.3)


def test_channels_are_last_without_the_batch_or_first_behind_it() -> None:
    assert Sized(layout="NHWC", most_objects=5, height=64, width=96).channel_dim == -1
    assert Sized(layout="NCHW", most_objects=5, height=64, width=96).channel_dim == 1


def test_the_values_of_a_row_have_names() -> None:
    assert row_labels(["car", "bus"]) == ["x", "y", "width", "height", "objectness", "car", "bus"]
    assert row_labels(["car"], 2)[5:] == ["car", "coefficient_0", "coefficient_1"]
    assert declared({"name": str, "count": int}) == {
        "name": DatasetMetadataType.string,
        "count": DatasetMetadataType.int,
    }
