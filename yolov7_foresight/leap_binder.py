"""The wiring of the yolov7_foresight example: which function feeds Tensorleap what. No logic lives here.

No `from __future__ import annotations`: code-loader reads the annotations.
"""

from typing import Any

import numpy as np
from code_loader import leap_binder
from code_loader.contract.datasetclasses import (
    ConfusionMatrixElement,
    PredictionTypeHandler,
    PreprocessResponse,
)
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapImage, LeapImageWithBBox
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
    tensorleap_simulation,
)
from numpy.typing import NDArray

from tasks.detection import confusion, encoders, losses, metrics, visualizers
from tasks.detection.declarations import declared, row_labels
from vision.statistics import image_statistics
from yolov7_foresight import metadata, simulation
from yolov7_foresight.config import load_config
from yolov7_foresight.data.preprocess import preprocess_responses

CONFIG = load_config()
LABELS = list(CONFIG.labels)
INPUT, GRID, RULES = CONFIG.input, CONFIG.grid, CONFIG.rules
CLASSES, WEIGHTS = len(LABELS), CONFIG.loss_weights.in_order
COUNT_TYPES = metadata.count_types(LABELS)

UPWARD = MetricDirection.Upward
LOSSES = dict.fromkeys(losses.DetectionLosses._fields, MetricDirection.Downward)

PREDICTION = PredictionTypeHandler(name="detections", labels=row_labels(LABELS), channel_dim=-1)

leap_binder.leap_analysis_configuration.domain_gap_metadata = ["origin"]


@tensorleap_preprocess()
def preprocess() -> list[PreprocessResponse]:
    return preprocess_responses(CONFIG)


@tensorleap_input_encoder("image", channel_dim=INPUT.channel_dim)
def input_image(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return encoders.image(response.data.image(sample_id), INPUT.height, INPUT.width, INPUT.layout)


@tensorleap_gt_encoder("objects")
def ground_truth_objects(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    frames = response.data
    return encoders.ground_truth(
        frames.objects(sample_id), frames.size(sample_id), INPUT.height, INPUT.width, INPUT.most_objects
    )


# The population: what the analysis of the domain gap tells domains apart by.
@tensorleap_metadata("origin", DatasetMetadataType.string)
def metadata_origin(sample_id: str, response: PreprocessResponse) -> str:
    origin: str = response.data.origin(sample_id)
    return origin


@tensorleap_metadata("frame", declared(metadata.FRAME_TYPES))
def metadata_frame(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    frames = response.data
    return metadata.frame(frames.image(sample_id), frames.path(sample_id))


@tensorleap_metadata("image", declared(metadata.STATISTICS_TYPES))
def metadata_image(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return image_statistics(response.data.image(sample_id))


# What follows from the labels is None on the unlabeled state.
@tensorleap_metadata("objects", declared(COUNT_TYPES))
def metadata_objects(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return metadata.object_counts(response.data.objects(sample_id), LABELS, INPUT.most_objects)


@tensorleap_metadata("boxes", declared(metadata.SIZE_TYPES))
def metadata_boxes(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    frames = response.data
    return metadata.object_sizes(frames.objects(sample_id), *frames.size(sample_id))


# None on every frame that no simulation made.
@tensorleap_metadata("simulation", dict.fromkeys(simulation.PARAMETERS, DatasetMetadataType.float))
def metadata_simulation(sample_id: str, response: PreprocessResponse) -> dict[str, Any]:
    return metadata.simulation(response.data.parameters(sample_id), list(simulation.PARAMETERS))


@tensorleap_custom_loss("yolov7_loss")
def loss_yolov7(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return losses.detection_losses(ground_truth, prediction, GRID, CLASSES).total(WEIGHTS)


@tensorleap_custom_metric("loss", direction=LOSSES, compute_insights=dict.fromkeys(LOSSES, True))
def metric_losses(ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return losses.detection_losses(ground_truth, prediction, GRID, CLASSES)._asdict()


@tensorleap_custom_metric("detection", direction=metrics.SCORES, compute_insights=dict.fromkeys(metrics.SCORES, True))
def metric_detection(
    ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    return metrics.detection_scores(ground_truth, prediction, RULES)


# Neither of the next two is better or worse by itself: no insight is to be drawn from them.
@tensorleap_custom_metric(
    "detected", direction=dict.fromkeys(LABELS, UPWARD), compute_insights=dict.fromkeys(LABELS, False)
)
def metric_detected(prediction: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return metrics.class_counts(prediction, RULES)


@tensorleap_custom_metric("confidence", direction=UPWARD, compute_insights=False)
def metric_confidence(prediction: NDArray[np.float32]) -> NDArray[np.float32]:
    return metrics.highest_confidence(prediction, RULES)


@tensorleap_custom_metric("confusion_matrix", direction=UPWARD, compute_insights=False)
def metric_confusion_matrix(
    ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]
) -> list[list[ConfusionMatrixElement]]:
    return confusion.confusion_elements(ground_truth, prediction, RULES)


@tensorleap_custom_visualizer("frame", LeapDataType.Image, heatmap_function=visualizers.frame_heatmap)
def visualize_frame(image: NDArray[np.float32]) -> LeapImage:
    return visualizers.frame(image)


@tensorleap_custom_visualizer("objects", LeapDataType.ImageWithBBox)
def visualize_objects(image: NDArray[np.float32], ground_truth: NDArray[np.float32]) -> LeapImageWithBBox:
    return visualizers.true_boxes(image, ground_truth, RULES)


@tensorleap_custom_visualizer("detections", LeapDataType.ImageWithBBox)
def visualize_detections(image: NDArray[np.float32], prediction: NDArray[np.float32]) -> LeapImageWithBBox:
    return visualizers.predicted_boxes(image, prediction, RULES)


@tensorleap_custom_visualizer("misses_and_false_alarms", LeapDataType.ImageWithBBox)
def visualize_misses_and_false_alarms(
    image: NDArray[np.float32], ground_truth: NDArray[np.float32], prediction: NDArray[np.float32]
) -> LeapImageWithBBox:
    return visualizers.judged_boxes(image, ground_truth, prediction, RULES)


@tensorleap_simulation("cognata", simulation.BOUNDS)
def simulate_cognata(
    N: int,
    seed: int,
    fisheye: float,
    exposure: float,
    temperature: float,
    red_spread: float,
    noise: float,
    blur: float,
    dusk: float,
) -> PreprocessResponse:
    frames = simulation.simulated_frames(
        N,
        seed,
        CONFIG,
        fisheye=fisheye,
        exposure=exposure,
        temperature=temperature,
        red_spread=red_spread,
        noise=noise,
        blur=blur,
        dusk=dusk,
    )
    return PreprocessResponse(data=frames, sample_ids=list(frames.ids), state=DataStateType.additional)


@tensorleap_load_model([PREDICTION])
def load_model() -> Any:
    from data_access.models import load_onnx_session

    return load_onnx_session(CONFIG.model_path)


@tensorleap_integration_test()
def integration_test(sample_id: str, response: PreprocessResponse) -> None:
    image = input_image(sample_id, response)
    ground_truth = ground_truth_objects(sample_id, response)
    model = load_model()
    outputs = model.run(None, {model.get_inputs()[0].name: image})
    prediction = outputs[0]

    loss_yolov7(ground_truth, prediction)
    metric_losses(ground_truth, prediction)
    metric_detection(ground_truth, prediction)
    metric_detected(prediction)
    metric_confidence(prediction)
    metric_confusion_matrix(ground_truth, prediction)
    visualize_frame(image)
    visualize_objects(image, ground_truth)
    visualize_detections(image, prediction)
    visualize_misses_and_false_alarms(image, ground_truth, prediction)

    metadata_origin(sample_id, response)
    metadata_frame(sample_id, response)
    metadata_image(sample_id, response)
    metadata_objects(sample_id, response)
    metadata_boxes(sample_id, response)
    metadata_simulation(sample_id, response)

    simulate_cognata(
        N=1,
        seed=0,
        fisheye=0.6,
        exposure=0.4,
        temperature=7600.0,
        red_spread=0.8,
        noise=0.02,
        blur=0.8,
        dusk=0.7,
    )
