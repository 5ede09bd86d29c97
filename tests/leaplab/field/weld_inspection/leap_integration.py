from typing import Any, Dict, List

import numpy as np
import numpy.typing as npt
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_latent_space, tensorleap_custom_loss, tensorleap_custom_metric, tensorleap_custom_visualizer,
    tensorleap_gt_encoder, tensorleap_input_encoder, tensorleap_integration_test, tensorleap_load_model,
    tensorleap_metadata, tensorleap_preprocess,
)

from weld.parts import DEFECTS, MODEL_FILE, PartArchive

Array = npt.NDArray[np.float32]


@tensorleap_preprocess()
def preprocess() -> List[PreprocessResponse]:
    line_a, line_b = PartArchive("a", 5, seed=61), PartArchive("b", 4, seed=62)
    return [
        PreprocessResponse(sample_ids=line_a.groups, data=line_a, state=DataStateType.training),
        PreprocessResponse(sample_ids=line_b.groups, data=line_b, state=DataStateType.validation),
    ]


def _views(part: List[str], line: PreprocessResponse) -> List[Dict[str, Any]]:
    return [line.data.view(view_id) for view_id in part]


@tensorleap_input_encoder("photo", channel_dim=-1)
def photo(part: List[str], line: PreprocessResponse) -> List[Array]:
    return [view["photo"] for view in _views(part, line)]


@tensorleap_gt_encoder("defect")
def defect(part: List[str], line: PreprocessResponse) -> List[Array]:
    return [np.eye(3, dtype=np.float32)[view["defect"]] for view in _views(part, line)]


@tensorleap_metadata("view", {
    "operator": DatasetMetadataType.string,
    "current": DatasetMetadataType.float,
    "first_of_part": DatasetMetadataType.boolean,
})
def view_metadata(part: List[str], line: PreprocessResponse) -> List[Dict[str, Any]]:
    return [
        {"operator": view["operator"], "current": view["current"], "first_of_part": view["side"] == 0}
        for view in _views(part, line)
    ]


@tensorleap_metadata("views_of_part", DatasetMetadataType.int)
def views_of_part(part: List[str], line: PreprocessResponse) -> List[int]:
    return [len(part)] * len(part)


@tensorleap_custom_latent_space("profile")
def profile(part: List[str], line: PreprocessResponse) -> Array:
    return np.stack([view["photo"].mean(axis=(1, 2)) for view in _views(part, line)])


@tensorleap_load_model([PredictionTypeHandler(name="defect", labels=list(DEFECTS), channel_dim=-1)])
def load_model():
    from onnxruntime import InferenceSession

    return InferenceSession(MODEL_FILE)


@tensorleap_custom_loss("focal")
def focal(truth: Array, guess: Array) -> Array:
    chosen = (truth.astype(np.float32) * guess.astype(np.float32)).sum(axis=-1).clip(1e-5, 1)
    return -((1 - chosen) ** 2) * np.log(chosen)


@tensorleap_custom_metric("caught", direction=MetricDirection.Upward, compute_insights=True)
def caught(truth: Array, guess: Array) -> List[Any]:
    """Whether a defect is called one; absent where there is none."""
    return [float(g[0] < 0.5) if t[0] == 0 else None for t, g in zip(truth, guess)]


@tensorleap_custom_visualizer("photo", LeapDataType.Image)
def show_photo(image: Array) -> LeapImage:
    return LeapImage((image[0] * 255).astype(np.uint8))


@tensorleap_custom_visualizer("verdict", LeapDataType.HorizontalBar)
def show_verdict(guess: Array, truth: Array) -> LeapHorizontalBar:
    return LeapHorizontalBar(guess[0], list(DEFECTS), truth[0])


@tensorleap_integration_test()
def integration_test(part: List[str], line: PreprocessResponse) -> None:
    photos, truths = photo(part, line), defect(part, line)
    model = load_model()
    guess = model.run(None, {model.get_inputs()[0].name: photos[0]})[0]
    focal(truths[0], guess)
    caught(truths[0], guess)
    show_photo(photos[0])
    show_verdict(guess, truths[0])
    view_metadata(part, line)
    views_of_part(part, line)
    profile(part, line)


if __name__ == "__main__":
    for line in preprocess():
        integration_test(line.sample_ids[0], line)
        integration_test(line.sample_ids[-1], line)
