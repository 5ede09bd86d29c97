"""A complete small integration: two inputs, each kind of metadata, loss and metric, two visualizers."""

from pathlib import Path
from typing import Any

import numpy as np
import samples  # type: ignore[import-not-found]
import scores  # type: ignore[import-not-found]
import yaml
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_latent_space,
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

HERE = Path(__file__).resolve().parent
LABELS = ["top", "middle", "bottom"]
SETTINGS = yaml.safe_load((HERE / "project_config.yaml").read_text(encoding="utf-8"))
STATES = (DataStateType.training, DataStateType.validation)


@tensorleap_preprocess()
def preprocess() -> list[PreprocessResponse]:
    drawn = {state: samples.draw(state.value, SETTINGS[state.value], SETTINGS["seed"]) for state in STATES}
    return [PreprocessResponse(sample_ids=list(ids), data=ids, state=state) for state, ids in drawn.items()]


# The model takes these in the other order.
@tensorleap_input_encoder("bias", channel_dim=-1)
def encode_bias(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    bias: NDArray[np.float32] = response.data[sample_id].bias
    return bias


@tensorleap_input_encoder("image", channel_dim=-1)
def encode_image(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    image: NDArray[np.float32] = response.data[sample_id].image
    return image


@tensorleap_gt_encoder("classes")
def encode_classes(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    assert "unlabeled" not in sample_id, "an unlabeled sample has no ground truth"
    classes: NDArray[np.float32] = samples.one_hot(response.data[sample_id])
    return classes


@tensorleap_gt_encoder("smoothed")
def encode_smoothed(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    smoothed: NDArray[np.float32] = samples.smoothed(response.data[sample_id])
    return smoothed


@tensorleap_metadata("label", DatasetMetadataType.int)
def metadata_label(sample_id: str, response: PreprocessResponse) -> int:
    label: int = response.data[sample_id].label
    return label


@tensorleap_metadata("number")
def metadata_number(sample_id: str, response: PreprocessResponse) -> int:
    number: int = response.data[sample_id].number
    return number


@tensorleap_metadata("brightness", DatasetMetadataType.float)
def metadata_brightness(sample_id: str, response: PreprocessResponse) -> float | None:
    brightness: float | None = samples.brightness(response.data[sample_id])
    return brightness


@tensorleap_metadata("shade", DatasetMetadataType.string)
def metadata_shade(sample_id: str, response: PreprocessResponse) -> str | None:
    shade: str | None = samples.shade(response.data[sample_id])
    return shade


@tensorleap_metadata("is_dark", DatasetMetadataType.boolean)
def metadata_is_dark(sample_id: str, response: PreprocessResponse) -> bool | None:
    is_dark: bool | None = samples.is_dark(response.data[sample_id])
    return is_dark


@tensorleap_metadata("peak", {"row": DatasetMetadataType.int, "height": DatasetMetadataType.float})
def metadata_peak(sample_id: str, response: PreprocessResponse) -> dict[str, int | float | None]:
    peak: dict[str, int | float | None] = samples.peak(response.data[sample_id])
    return peak


@tensorleap_custom_latent_space("rows")
def latent_rows(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = samples.row_means(response.data[sample_id])
    return rows


@tensorleap_custom_loss("cross_entropy")
def loss_cross_entropy(truth: NDArray[np.float32], guess: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = scores.cross_entropy(truth, guess)
    return result


@tensorleap_custom_loss("defined_for_some")
def loss_defined_for_some(
    truth: NDArray[np.float32], guess: NDArray[np.float32], image: NDArray[np.float32]
) -> NDArray[np.float32]:
    result: NDArray[np.float32] = scores.defined_for_some(truth, guess, image)
    return result


@tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)
def metric_accuracy(truth: NDArray[np.float32], guess: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = scores.accuracy(truth, guess)
    return result


@tensorleap_custom_metric("confidence", direction=MetricDirection.Upward, compute_insights=False)
def metric_confidence(guess: NDArray[np.float32]) -> list[float | None]:
    result: list[float | None] = scores.confidence(guess)
    return result


@tensorleap_custom_metric(
    "spread",
    direction={"entropy": MetricDirection.Downward, "gap": MetricDirection.Upward},
    compute_insights={"entropy": False, "gap": True},
)
def metric_spread(guess: NDArray[np.float32]) -> dict[str, Any]:
    result: dict[str, Any] = scores.spread(guess)
    return result


@tensorleap_custom_metric("shortfall", direction=MetricDirection.Downward, compute_insights=True)
def metric_shortfall(prediction: NDArray[np.float32], ground_truth: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = scores.shortfall(prediction, ground_truth)
    return result


@tensorleap_custom_metric("confusion", direction=MetricDirection.Upward, compute_insights=False)
def metric_confusion(truth: NDArray[np.float32], guess: NDArray[np.float32]) -> list[Any]:
    result: list[Any] = scores.confusion(truth, guess, LABELS)
    return result


@tensorleap_custom_visualizer("picture", LeapDataType.Image)
def visualize_picture(image: NDArray[np.float32]) -> LeapImage:
    return LeapImage((image[0].clip(0, 1) * 255).astype(np.uint8))


@tensorleap_custom_visualizer("probabilities", LeapDataType.HorizontalBar)
def visualize_probabilities(guess: NDArray[np.float32], truth: NDArray[np.float32]) -> LeapHorizontalBar:
    return LeapHorizontalBar(guess[0], LABELS, truth[0])


@tensorleap_load_model([PredictionTypeHandler(name="classes", labels=LABELS, channel_dim=-1)])
def load_model() -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(HERE / "tiny.onnx"))


@tensorleap_integration_test()
def integration_test(sample_id: str, response: PreprocessResponse) -> None:
    bias = encode_bias(sample_id, response)
    image = encode_image(sample_id, response)
    classes = encode_classes(sample_id, response)
    smoothed = encode_smoothed(sample_id, response)
    model = load_model()
    outputs = model.run(None, {model.get_inputs()[0].name: image, model.get_inputs()[1].name: bias})
    guess = outputs[0]

    loss_cross_entropy(classes, guess)
    loss_defined_for_some(classes, guess, image)
    metric_accuracy(classes, guess)
    metric_confidence(guess)
    metric_spread(guess)
    # The names of the arguments mislead on purpose: the wiring alone tells what feeds them.
    metric_shortfall(smoothed, guess)
    metric_shortfall(guess, classes)
    metric_confusion(classes, guess)
    visualize_picture(image)
    visualize_probabilities(guess, classes)

    metadata_label(sample_id, response)
    metadata_number(sample_id, response)
    metadata_brightness(sample_id, response)
    metadata_shade(sample_id, response)
    metadata_is_dark(sample_id, response)
    metadata_peak(sample_id, response)
    latent_rows(sample_id, response)
