import os

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage, LeapImageMask
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss, tensorleap_custom_metric, tensorleap_custom_visualizer, tensorleap_gt_encoder,
    tensorleap_input_encoder, tensorleap_integration_test, tensorleap_load_model, tensorleap_metadata,
    tensorleap_preprocess)

import leaf_layers
from leaf_data import STATES, LeafSet

HEALTH = ["healthy", "rust"]


@tensorleap_preprocess()
def leaf_sets() -> list:
    sets = [LeafSet(state) for state in STATES]
    return [PreprocessResponse(sample_ids=list(s.leaves), data=s, state=DataStateType[s.state]) for s in sets]


@tensorleap_input_encoder("leaf", channel_dim=-1)
def leaf(leaf_id: str, subset: PreprocessResponse) -> np.ndarray:
    return subset.data.leaves[leaf_id]["image"]


@tensorleap_gt_encoder("health")
def health(leaf_id: str, subset: PreprocessResponse) -> np.ndarray:
    return np.eye(2, dtype=np.float32)[int(subset.data.leaves[leaf_id]["rust"].any())]


@tensorleap_gt_encoder("covered")
def covered(leaf_id: str, subset: PreprocessResponse) -> np.ndarray:
    return np.array([subset.data.covered(leaf_id)], dtype=np.float32)


@tensorleap_gt_encoder("rust_mask")
def rust_mask(leaf_id: str, subset: PreprocessResponse) -> np.ndarray:
    return subset.data.leaves[leaf_id]["rust"].astype(np.float32)


@tensorleap_metadata("spots", DatasetMetadataType.int)
def spots(leaf_id: str, subset: PreprocessResponse) -> int:
    return subset.data.leaves[leaf_id]["spots"]


@tensorleap_load_model([
    PredictionTypeHandler("health", HEALTH, channel_dim=-1),
    PredictionTypeHandler("covered", ["covered"], channel_dim=-1),
])
def leaf_net():
    import keras

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights", "leaf_net.keras")
    layers = {"Swish": leaf_layers.Swish, "GatedPool": leaf_layers.GatedPool}
    return keras.models.load_model(path, custom_objects=layers, compile=False)


@tensorleap_custom_loss("health_and_cover")
def health_and_cover(health_truth, covered_truth, health_guess, covered_guess) -> np.ndarray:
    chosen = (health_truth.astype(np.float32) * health_guess.astype(np.float32)).sum(axis=1)
    off = covered_truth.astype(np.float32) - covered_guess.astype(np.float32)
    return -np.log(np.maximum(chosen, 1e-6)) + 10 * np.square(off)[:, 0]


@tensorleap_custom_metric("cover_error", direction=MetricDirection.Downward, compute_insights=True)
def cover_error(covered_truth, covered_guess) -> np.ndarray:
    return np.abs(covered_truth.astype(np.float32) - covered_guess.astype(np.float32))[:, 0]


@tensorleap_custom_metric("recognised", direction=MetricDirection.Upward, compute_insights=True)
def recognised(health_truth, health_guess) -> np.ndarray:
    return np.equal(health_truth.argmax(-1), health_guess.argmax(-1)).astype(np.float32)


@tensorleap_custom_visualizer("leaf", LeapDataType.Image)
def show_leaf(image) -> LeapImage:
    return LeapImage(np.round(image[0] * 255).astype(np.uint8))


@tensorleap_custom_visualizer("rust", LeapDataType.ImageMask)
def show_rust(image, mask) -> LeapImageMask:
    return LeapImageMask(mask=mask[0].astype(np.uint8), image=image[0], labels=["rust"])


@tensorleap_custom_visualizer("diagnosis", LeapDataType.HorizontalBar)
def show_diagnosis(health_guess, health_truth) -> LeapHorizontalBar:
    return LeapHorizontalBar(health_guess[0], HEALTH, health_truth[0])


@tensorleap_integration_test()
def integration_test(leaf_id: str, subset: PreprocessResponse):
    image = leaf(leaf_id, subset)
    health_truth = health(leaf_id, subset)
    covered_truth = covered(leaf_id, subset)
    mask = rust_mask(leaf_id, subset)
    model = leaf_net()
    predictions = model(image)
    health_and_cover(health_truth, covered_truth, predictions[0], predictions[1])
    cover_error(covered_truth, predictions[1])
    recognised(health_truth, predictions[0])
    show_leaf(image)
    show_rust(image, mask)
    show_diagnosis(predictions[0], health_truth)
    spots(leaf_id, subset)


if __name__ == "__main__":
    for leaves in leaf_sets():
        for leaf_name in leaves.sample_ids[:3]:
            integration_test(leaf_name, leaves)
