"""A small integration without a fault; `samples.py` and `project_config.yaml` are those of `tiny`."""

from pathlib import Path
from typing import Any

import numpy as np
import samples  # type: ignore[import-not-found]
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


@tensorleap_preprocess()
def preprocess() -> list[PreprocessResponse]:
    training = samples.draw("training", SETTINGS["training"], SETTINGS["seed"])
    validation = samples.draw("validation", SETTINGS["validation"], SETTINGS["seed"])
    return [
        PreprocessResponse(sample_ids=list(training), data=training, state=DataStateType.training),
        PreprocessResponse(sample_ids=list(validation), data=validation, state=DataStateType.validation),
    ]


@tensorleap_input_encoder("image", channel_dim=-1)
def encode_image(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    image: NDArray[np.float32] = response.data[sample_id].image
    return image


@tensorleap_input_encoder("bias", channel_dim=-1)
def encode_bias(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    bias: NDArray[np.float32] = response.data[sample_id].bias
    return bias


@tensorleap_gt_encoder("classes")
def encode_classes(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    classes: NDArray[np.float32] = samples.one_hot(response.data[sample_id])
    return classes


@tensorleap_metadata("number", DatasetMetadataType.int)
def metadata_number(sample_id: str, response: PreprocessResponse) -> int:
    number: int = response.data[sample_id].number
    return number


@tensorleap_metadata("brightness", DatasetMetadataType.float)
def metadata_brightness(sample_id: str, response: PreprocessResponse) -> float | None:
    brightness: float | None = samples.brightness(response.data[sample_id])
    return brightness


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
    chosen = (truth.astype(np.float32) * guess.astype(np.float32)).sum(axis=1)
    return np.asarray(-np.log(np.maximum(chosen, 1e-7)), np.float32)


@tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)
def metric_accuracy(truth: NDArray[np.float32], guess: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(truth.argmax(axis=1) == guess.argmax(axis=1), np.float32)


@tensorleap_custom_metric("confidence", direction=MetricDirection.Upward, compute_insights=False)
def metric_confidence(guess: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(guess.max(axis=1), np.float32)


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
    image = encode_image(sample_id, response)
    bias = encode_bias(sample_id, response)
    classes = encode_classes(sample_id, response)
    model = load_model()
    outputs = model.run(None, {model.get_inputs()[0].name: image, model.get_inputs()[1].name: bias})
    guess = outputs[0]

    loss_cross_entropy(classes, guess)
    metric_accuracy(classes, guess)
    metric_confidence(guess)
    visualize_picture(image)
    visualize_probabilities(guess, classes)

    metadata_number(sample_id, response)
    metadata_brightness(sample_id, response)
    metadata_peak(sample_id, response)
    latent_rows(sample_id, response)
