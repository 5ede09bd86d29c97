"""The wiring of the cifar10_resnet example: which function feeds Tensorleap what. No logic lives here.

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

from cifar10_resnet import encoders, metadata
from cifar10_resnet.config import load_config
from cifar10_resnet.data.batches import CLASSES
from cifar10_resnet.data.preprocess import preprocess_responses
from tasks.classification import losses, metrics
from tasks.classification.encoders import one_hot
from tasks.classification.visualizers import class_bars, pixel_heatmap, pixel_image
from vision.statistics import IMAGE_STATISTICS, image_statistics

CONFIG = load_config()
LABELS = list(CONFIG.labels)
BORDER, LEAST_CHROMA = CONFIG.metadata.border, CONFIG.metadata.least_chroma
STATISTICS_TYPES = dict.fromkeys(IMAGE_STATISTICS, DatasetMetadataType.float)
COLOUR_TYPES = {"hue": DatasetMetadataType.float, "colour": DatasetMetadataType.string}

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


# What follows from the label is None on the unlabeled state.
@tensorleap_metadata("label", DatasetMetadataType.int)
def metadata_label(sample_id: str, response: PreprocessResponse) -> int | None:
    label: int | None = response.data.label(sample_id)
    return label


@tensorleap_metadata("class_name", DatasetMetadataType.string)
def metadata_class_name(sample_id: str, response: PreprocessResponse) -> str | None:
    return metadata.class_name(response.data.label(sample_id), LABELS)


@tensorleap_metadata("kind", DatasetMetadataType.string)
def metadata_kind(sample_id: str, response: PreprocessResponse) -> str | None:
    return metadata.kind(metadata.class_name(response.data.label(sample_id), LABELS), CONFIG.vehicles)


@tensorleap_metadata("can_fly", DatasetMetadataType.boolean)
def metadata_can_fly(sample_id: str, response: PreprocessResponse) -> bool | None:
    return metadata.can_fly(metadata.class_name(response.data.label(sample_id), LABELS), CONFIG.flyers)


@tensorleap_metadata("image", STATISTICS_TYPES)
def metadata_image(sample_id: str, response: PreprocessResponse) -> dict[str, float | None]:
    return image_statistics(response.data.image(sample_id))


@tensorleap_metadata("object", COLOUR_TYPES)
def metadata_object(sample_id: str, response: PreprocessResponse) -> dict[str, float | str | None]:
    return metadata.object_colour(response.data.image(sample_id), BORDER, LEAST_CHROMA)


@tensorleap_metadata("background_lightness", DatasetMetadataType.float)
def metadata_background_lightness(sample_id: str, response: PreprocessResponse) -> float:
    return metadata.background_lightness(response.data.image(sample_id), BORDER)


@tensorleap_custom_loss("cross_entropy")
def loss_cross_entropy(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return losses.categorical_cross_entropy(ground_truth, prediction)


@tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)
def metric_accuracy(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.accuracy(ground_truth, prediction)


@tensorleap_custom_metric("top_2_accuracy", direction=MetricDirection.Upward, compute_insights=True)
def metric_top_2_accuracy(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.top_k_accuracy(ground_truth, prediction, 2)


# None of the next three is better or worse by itself: no insight is to be drawn from them.
@tensorleap_custom_metric("confidence", direction=MetricDirection.Upward, compute_insights=False)
def metric_confidence(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.confidence(prediction)


@tensorleap_custom_metric("margin", direction=MetricDirection.Upward, compute_insights=False)
def metric_margin(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.margin(prediction)


@tensorleap_custom_metric("predicted_label", direction=MetricDirection.Upward, compute_insights=False)
def metric_predicted_label(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.predicted_label(prediction)


@tensorleap_custom_metric("confusion_matrix", direction=MetricDirection.Upward, compute_insights=False)
def metric_confusion_matrix(
    ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]
) -> list[list[ConfusionMatrixElement]]:
    return metrics.confusion_matrix(ground_truth, prediction, LABELS)


@tensorleap_custom_visualizer("photograph", LeapDataType.Image, heatmap_function=pixel_heatmap)
def visualize_photograph(image: NDArray[np.float32]) -> LeapImage:
    return pixel_image(image)


@tensorleap_custom_visualizer("class_probabilities", LeapDataType.HorizontalBar)
def visualize_class_probabilities(
    prediction: NDArray[np.float32], ground_truth: NDArray[np.float32]
) -> LeapHorizontalBar:
    return class_bars(prediction, ground_truth, LABELS)


# The unlabeled state has no ground truth, so the one above does not run there.
@tensorleap_custom_visualizer("prediction", LeapDataType.HorizontalBar)
def visualize_prediction(prediction: NDArray[np.float32]) -> LeapHorizontalBar:
    return class_bars(prediction, None, LABELS)


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
    metric_top_2_accuracy(ground_truth, prediction)
    metric_confidence(prediction)
    metric_margin(prediction)
    metric_predicted_label(prediction)
    metric_confusion_matrix(ground_truth, prediction)
    visualize_photograph(image)
    visualize_class_probabilities(prediction, ground_truth)
    visualize_prediction(prediction)

    metadata_label(sample_id, response)
    metadata_class_name(sample_id, response)
    metadata_kind(sample_id, response)
    metadata_can_fly(sample_id, response)
    metadata_image(sample_id, response)
    metadata_object(sample_id, response)
    metadata_background_lightness(sample_id, response)
