"""The wiring of the mnist example: which function feeds Tensorleap what. No logic lives here.

No `from __future__ import annotations`: code-loader reads the annotations.
"""

from typing import Any

import numpy as np
from code_loader.contract.datasetclasses import (
    ConfusionMatrixElement,
    PredictionTypeHandler,
    PreprocessResponse,
)
from code_loader.contract.enums import DatasetMetadataType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss,
    tensorleap_custom_metric,
    tensorleap_custom_visualizer,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
    tensorleap_preprocess,
)
from numpy.typing import NDArray

from mnist import encoders, metadata
from mnist.config import load_config
from mnist.data.preprocess import CLASSES, preprocess_responses
from tasks.classification import losses, metrics
from tasks.classification.encoders import one_hot
from tasks.classification.visualizers import class_bars, pixel_image

CONFIG = load_config()
LABELS = list(CONFIG.labels)
INK = CONFIG.metadata.ink_threshold
DISTANCE_TYPES = {
    "to_own_class": DatasetMetadataType.float,
    "nearest_class": DatasetMetadataType.int,
    **{f"to_class_{digit}": DatasetMetadataType.float for digit in range(CLASSES)},
}

PREDICTION = PredictionTypeHandler(name="classes", labels=LABELS, channel_dim=-1)


@tensorleap_preprocess()
def preprocess() -> list[PreprocessResponse]:
    return preprocess_responses(CONFIG)


@tensorleap_input_encoder("image", channel_dim=-1)
def input_image(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return encoders.image(response.data.image(sample_id))


@tensorleap_gt_encoder("classes")
def ground_truth_classes(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return one_hot(response.data.label(sample_id), CLASSES)


@tensorleap_metadata("label", DatasetMetadataType.int)
def metadata_label(sample_id: str, response: PreprocessResponse) -> int:
    label: int = response.data.label(sample_id)
    return label


@tensorleap_metadata("even_odd", DatasetMetadataType.string)
def metadata_even_odd(sample_id: str, response: PreprocessResponse) -> str:
    return metadata.even_odd(response.data.label(sample_id))


@tensorleap_metadata("has_loop", DatasetMetadataType.boolean)
def metadata_has_loop(sample_id: str, response: PreprocessResponse) -> bool:
    return metadata.has_loop(response.data.label(sample_id), CONFIG.looped_digits)


@tensorleap_metadata("holes", DatasetMetadataType.int)
def metadata_holes(sample_id: str, response: PreprocessResponse) -> int:
    return metadata.holes(response.data.image(sample_id), INK, CONFIG.metadata.min_hole_area)


@tensorleap_metadata("distance", DISTANCE_TYPES)
def metadata_distance(sample_id: str, response: PreprocessResponse) -> dict[str, float | int | None]:
    digits = response.data
    return metadata.class_distances(digits.image(sample_id), digits.label(sample_id), digits.class_means)


@tensorleap_metadata("brightness", DatasetMetadataType.float)
def metadata_brightness(sample_id: str, response: PreprocessResponse) -> float:
    return metadata.brightness(response.data.image(sample_id))


@tensorleap_metadata("ink_fraction", DatasetMetadataType.float)
def metadata_ink_fraction(sample_id: str, response: PreprocessResponse) -> float:
    return metadata.ink_fraction(response.data.image(sample_id), INK)


@tensorleap_metadata("source", DatasetMetadataType.string)
def metadata_source(sample_id: str, response: PreprocessResponse) -> str:
    source: str = response.data.source
    return source


@tensorleap_custom_loss("cross_entropy")
def loss_cross_entropy(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return losses.categorical_cross_entropy(ground_truth, prediction)


@tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)
def metric_accuracy(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.accuracy(ground_truth, prediction)


# Neither of the next two is better or worse by itself: no insight is to be drawn from them.
@tensorleap_custom_metric("confidence", direction=MetricDirection.Upward, compute_insights=False)
def metric_confidence(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.confidence(prediction)


@tensorleap_custom_metric("predicted_label", direction=MetricDirection.Upward, compute_insights=False)
def metric_predicted_label(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.predicted_label(prediction)


@tensorleap_custom_metric("confusion_matrix", direction=MetricDirection.Upward, compute_insights=False)
def metric_confusion_matrix(
    ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]
) -> list[list[ConfusionMatrixElement]]:
    return metrics.confusion_matrix(ground_truth, prediction, LABELS)


@tensorleap_custom_visualizer("digit", LeapDataType.Image)
def visualize_digit(image: NDArray[np.float32]) -> LeapImage:
    return pixel_image(image)


@tensorleap_custom_visualizer("class_probabilities", LeapDataType.HorizontalBar)
def visualize_class_probabilities(
    prediction: NDArray[np.float32], ground_truth: NDArray[np.float32]
) -> LeapHorizontalBar:
    return class_bars(prediction, ground_truth, LABELS)


@tensorleap_load_model([PREDICTION])
def load_model() -> Any:
    from data_access.models import load_onnx_session

    return load_onnx_session(CONFIG.model_path)


@tensorleap_integration_test()
def integration_test(sample_id: str, response: PreprocessResponse) -> None:
    image = input_image(sample_id, response)
    ground_truth = ground_truth_classes(sample_id, response)
    model = load_model()
    outputs = model.run(None, {model.get_inputs()[0].name: image})
    prediction = outputs[0]

    loss_cross_entropy(ground_truth, prediction)
    metric_accuracy(ground_truth, prediction)
    metric_confidence(prediction)
    metric_predicted_label(prediction)
    metric_confusion_matrix(ground_truth, prediction)
    visualize_digit(image)
    visualize_class_probabilities(prediction, ground_truth)

    metadata_label(sample_id, response)
    metadata_even_odd(sample_id, response)
    metadata_has_loop(sample_id, response)
    metadata_holes(sample_id, response)
    metadata_distance(sample_id, response)
    metadata_brightness(sample_id, response)
    metadata_ink_fraction(sample_id, response)
    metadata_source(sample_id, response)
