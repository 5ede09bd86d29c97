"""The wiring of the armbench_segmentation example: which function feeds Tensorleap what. No logic lives here.

No `from __future__ import annotations`: code-loader reads the annotations.
"""

from typing import Any

import numpy as np
from code_loader.contract.datasetclasses import (
    ConfusionMatrixElement,
    ElementInstance,
    PredictionTypeHandler,
    PreprocessResponse,
)
from code_loader.contract.enums import DatasetMetadataType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapImage, LeapImageMask, LeapImageWithBBox
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_instances_metric,
    tensorleap_custom_loss,
    tensorleap_custom_metric,
    tensorleap_custom_visualizer,
    tensorleap_element_instance_preprocess,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_instances_length_encoder,
    tensorleap_instances_masks_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
)
from numpy.typing import NDArray

from armbench_segmentation import elements, encoders, metadata
from armbench_segmentation.config import MASK_STRIDE, load_config
from armbench_segmentation.data.preprocess import preprocess_responses
from tasks.detection import confusion
from tasks.detection import metrics as detection_metrics
from tasks.detection import visualizers as detection_visualizers
from tasks.detection.declarations import declared, row_labels
from tasks.segmentation import losses, metrics, visualizers
from vision.statistics import IMAGE_STATISTICS

CONFIG = load_config()
LABELS = list(CONFIG.labels)
INPUT, GRID, RULES, FACTS = CONFIG.input, CONFIG.grid, CONFIG.rules, CONFIG.metadata
CONTAINER = CONFIG.container
CLASSES, WEIGHTS = len(LABELS), CONFIG.loss_weights.in_order

UPWARD = MetricDirection.Upward
# How sure the parts are, and how small: neither is better or worse by itself.
WITHOUT_INSIGHTS = ("over_segmentation_confidence", "under_segmentation_small_objects")
LOSSES = dict.fromkeys(losses.SegmentationLosses._fields, MetricDirection.Downward)

DETECTIONS = PredictionTypeHandler(name="detections", labels=row_labels(LABELS, CONFIG.prototypes), channel_dim=-1)
PROTOTYPES = PredictionTypeHandler(
    name="prototypes", labels=[f"prototype_{k}" for k in range(CONFIG.prototypes)], channel_dim=1
)


# Each object of the ground truth is a sample of its own beside its image.
@tensorleap_instances_length_encoder("objects")
def object_count(sample_id: str, response: PreprocessResponse) -> int:
    count: int = response.data.count(sample_id)
    return min(count, INPUT.most_objects)


@tensorleap_instances_masks_encoder("objects")
def object_mask(sample_id: str, response: PreprocessResponse, instance_id: int) -> ElementInstance:
    return elements.element(response.data.objects(sample_id), instance_id, LABELS, CONTAINER, INPUT.size, INPUT.layout)


@tensorleap_element_instance_preprocess(object_count, object_mask, declared(elements.METADATA_TYPES))
def preprocess() -> list[PreprocessResponse]:
    return preprocess_responses(CONFIG)


@tensorleap_input_encoder("image", channel_dim=INPUT.channel_dim)
def input_image(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return encoders.image(response.data.image(sample_id), INPUT.size, INPUT.layout)


@tensorleap_gt_encoder("objects")
def ground_truth_objects(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return encoders.ground_truth(response.data.objects(sample_id), INPUT.size, INPUT.most_objects)


@tensorleap_gt_encoder("masks")
def ground_truth_masks(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return encoders.masks(response.data.objects(sample_id), INPUT.size, MASK_STRIDE, INPUT.most_objects)


@tensorleap_metadata("file", declared(metadata.FILE_TYPES))
def metadata_file(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return metadata.file(response.data.file_name(sample_id), response.data.size(sample_id))


@tensorleap_metadata("image", dict.fromkeys(IMAGE_STATISTICS, DatasetMetadataType.float))
def metadata_image(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return metadata.image_statistics(response.data.image(sample_id), INPUT.size)


# What follows from the annotations is None on the unlabeled state.
@tensorleap_metadata("count", dict.fromkeys(metadata.count_names(LABELS), DatasetMetadataType.int))
def metadata_counts(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    totes = response.data
    return metadata.counts(totes.objects(sample_id), totes.unusable(sample_id), LABELS, INPUT.most_objects)


@tensorleap_metadata("small_objects", DatasetMetadataType.int)
def metadata_small_objects(sample_id: str, response: PreprocessResponse) -> int | None:
    return metadata.small_objects(response.data.objects(sample_id), CONTAINER, FACTS.small_share)


@tensorleap_metadata("duplicates", DatasetMetadataType.int)
def metadata_duplicates(sample_id: str, response: PreprocessResponse) -> int | None:
    return metadata.duplicates(response.data.objects(sample_id), FACTS.duplicate_iou)


@tensorleap_metadata("background_share", DatasetMetadataType.float)
def metadata_background_share(sample_id: str, response: PreprocessResponse) -> float | None:
    return metadata.background(response.data.objects(sample_id))


@tensorleap_metadata("tote_colour", DatasetMetadataType.string)
def metadata_tote_colour(sample_id: str, response: PreprocessResponse) -> str | None:
    totes = response.data
    return metadata.tote_colour(
        totes.image(sample_id), totes.objects(sample_id), CONTAINER, FACTS.tote_hues, FACTS.least_chroma
    )


@tensorleap_metadata("class", dict.fromkeys(metadata.class_names(LABELS), DatasetMetadataType.float))
def metadata_classes(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return metadata.classes(response.data.image(sample_id), response.data.objects(sample_id), LABELS)


@tensorleap_metadata("occlusion", declared(metadata.OCCLUSION_TYPES))
def metadata_occlusions(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return metadata.occlusions(response.data.objects(sample_id), CONTAINER, INPUT.size)


@tensorleap_custom_loss("yolo_loss")
def loss_yolo(
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.float32],
    prediction: NDArray[np.float32],
    prototypes: NDArray[np.float32],
) -> NDArray[np.float32]:
    return losses.segmentation_losses(ground_truth, masks, prediction, prototypes, GRID, CLASSES).total(WEIGHTS)


@tensorleap_custom_metric("loss", direction=LOSSES, compute_insights=dict.fromkeys(LOSSES, True))
def metric_losses(
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.float32],
    prediction: NDArray[np.float32],
    prototypes: NDArray[np.float32],
) -> dict[str, NDArray[np.float32]]:
    return losses.segmentation_losses(ground_truth, masks, prediction, prototypes, GRID, CLASSES)._asdict()


@tensorleap_custom_metric(
    "box", direction=detection_metrics.SCORES, compute_insights=dict.fromkeys(detection_metrics.SCORES, True)
)
def metric_boxes(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return detection_metrics.detection_scores(ground_truth, prediction, RULES)


@tensorleap_custom_metric(
    "segmentation",
    direction=metrics.SCORES,
    compute_insights={name: name not in WITHOUT_INSIGHTS for name in metrics.SCORES},
)
def metric_segmentation(
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.float32],
    prediction: NDArray[np.float32],
    prototypes: NDArray[np.float32],
) -> dict[str, NDArray[np.float32]]:
    return metrics.segmentation_scores(ground_truth, masks, prediction, prototypes, RULES, FACTS.small_share)


@tensorleap_custom_instances_metric("best_mask_iou", direction=UPWARD, compute_insights=True)
def metric_best_mask_iou(
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.float32],
    prediction: NDArray[np.float32],
    prototypes: NDArray[np.float32],
) -> dict[int, NDArray[np.float32]]:
    return metrics.best_mask_ious(ground_truth, masks, prediction, prototypes, RULES)


# Neither of the next two is better or worse by itself: no insight is to be drawn from them.
@tensorleap_custom_metric(
    "detected", direction=dict.fromkeys(LABELS, UPWARD), compute_insights=dict.fromkeys(LABELS, False)
)
def metric_detected(prediction: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return detection_metrics.class_counts(prediction, RULES)


@tensorleap_custom_metric("confidence", direction=UPWARD, compute_insights=False)
def metric_confidence(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return detection_metrics.highest_confidence(prediction, RULES)


@tensorleap_custom_metric("confusion_matrix", direction=UPWARD, compute_insights=False)
def metric_confusion_matrix(
    ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]
) -> list[list[ConfusionMatrixElement]]:
    return confusion.confusion_elements(ground_truth, prediction, RULES)


@tensorleap_custom_visualizer("tote", LeapDataType.Image, heatmap_function=detection_visualizers.frame_heatmap)
def visualize_tote(image: NDArray[np.float32]) -> LeapImage:
    return detection_visualizers.frame(image)


@tensorleap_custom_visualizer("objects", LeapDataType.ImageWithBBox)
def visualize_objects(image: NDArray[np.float32], ground_truth: NDArray[np.float32]) -> LeapImageWithBBox:
    return detection_visualizers.true_boxes(image, ground_truth, RULES)


@tensorleap_custom_visualizer("detections", LeapDataType.ImageWithBBox)
def visualize_detections(image: NDArray[np.float32], prediction: NDArray[np.float32]) -> LeapImageWithBBox:
    return detection_visualizers.predicted_boxes(image, prediction, RULES)


@tensorleap_custom_visualizer("masks", LeapDataType.ImageMask)
def visualize_masks(
    image: NDArray[np.float32], ground_truth: NDArray[np.float32], masks: NDArray[np.float32]
) -> LeapImageMask:
    return visualizers.true_masks(image, ground_truth, masks, RULES)


@tensorleap_custom_visualizer("predicted_masks", LeapDataType.ImageMask)
def visualize_predicted_masks(
    image: NDArray[np.float32], prediction: NDArray[np.float32], prototypes: NDArray[np.float32]
) -> LeapImageMask:
    return visualizers.predicted_masks(image, prediction, prototypes, RULES)


@tensorleap_custom_visualizer("over_segmented", LeapDataType.ImageMask)
def visualize_over_segmented(
    image: NDArray[np.float32],
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.float32],
    prediction: NDArray[np.float32],
    prototypes: NDArray[np.float32],
) -> LeapImageMask:
    return visualizers.over_segmented_view(image, ground_truth, masks, prediction, prototypes, RULES)


@tensorleap_custom_visualizer("under_segmented", LeapDataType.ImageMask)
def visualize_under_segmented(
    image: NDArray[np.float32],
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.float32],
    prediction: NDArray[np.float32],
    prototypes: NDArray[np.float32],
) -> LeapImageMask:
    return visualizers.under_segmented_view(image, ground_truth, masks, prediction, prototypes, RULES)


@tensorleap_load_model([DETECTIONS, PROTOTYPES])
def load_model() -> Any:
    from data_access.models import load_onnx_session

    return load_onnx_session(CONFIG.model_path)


@tensorleap_integration_test()
def integration_test(sample_id: str, response: PreprocessResponse) -> None:
    image = input_image(sample_id, response)
    ground_truth = ground_truth_objects(sample_id, response)
    masks = ground_truth_masks(sample_id, response)
    model = load_model()
    outputs = model.run(None, {model.get_inputs()[0].name: image})
    prediction, prototypes = outputs[0], outputs[1]

    loss_yolo(ground_truth, masks, prediction, prototypes)
    metric_losses(ground_truth, masks, prediction, prototypes)
    metric_boxes(ground_truth, prediction)
    metric_segmentation(ground_truth, masks, prediction, prototypes)
    metric_best_mask_iou(ground_truth, masks, prediction, prototypes)
    metric_detected(prediction)
    metric_confidence(prediction)
    metric_confusion_matrix(ground_truth, prediction)
    visualize_tote(image)
    visualize_objects(image, ground_truth)
    visualize_detections(image, prediction)
    visualize_masks(image, ground_truth, masks)
    visualize_predicted_masks(image, prediction, prototypes)
    visualize_over_segmented(image, ground_truth, masks, prediction, prototypes)
    visualize_under_segmented(image, ground_truth, masks, prediction, prototypes)

    metadata_file(sample_id, response)
    metadata_image(sample_id, response)
    metadata_counts(sample_id, response)
    metadata_small_objects(sample_id, response)
    metadata_duplicates(sample_id, response)
    metadata_background_share(sample_id, response)
    metadata_tote_colour(sample_id, response)
    metadata_classes(sample_id, response)
    metadata_occlusions(sample_id, response)
