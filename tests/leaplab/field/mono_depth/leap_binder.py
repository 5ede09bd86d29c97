from pathlib import Path

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DataStateType as State
from code_loader.contract.enums import DatasetMetadataType as Type
from code_loader.contract.enums import LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapImage, LeapImageMask, LeapImageWithHeatmap
from code_loader.inner_leap_binder.leapbinder_decorators import (tensorleap_preprocess, tensorleap_input_encoder,
    tensorleap_gt_encoder, tensorleap_metadata, tensorleap_custom_loss, tensorleap_custom_metric,
    tensorleap_custom_visualizer, tensorleap_load_model, tensorleap_integration_test)

from depth import scores
from depth.rooms import SETTINGS, Rooms

np_float = np.float32


@tensorleap_preprocess()
def preprocess():
    return [
        PreprocessResponse(sample_ids=list(rooms), data=rooms, state=state)
        for state, rooms in [
            (State.training, Rooms.of("training", 9, 100)),
            (State.validation, Rooms.of("validation", 7, 200)),
            (State.unlabeled, Rooms.of("unlabeled", 6, 300)),
        ]
    ]


@tensorleap_input_encoder("rgb", channel_dim=-1)
def rgb(room, response):
    return response.data[room][0].astype(np_float) / 255.0


@tensorleap_gt_encoder("metres")
def metres(room, response):
    return response.data[room][1][..., None]


@tensorleap_metadata("mean_light", Type.float)
def mean_light(room, response):
    return float(response.data[room][0].mean())


@tensorleap_metadata("depth", {"nearest": Type.float, "holes": Type.int})
def depth_metadata(room, response):
    if response.state == State.unlabeled:
        return {"nearest": None, "holes": None}
    depth = response.data[room][1]
    return {"nearest": float(depth[depth > 0].min()), "holes": int((depth == 0).sum())}


@tensorleap_load_model([PredictionTypeHandler("metres", ["metres"], channel_dim=-1)])
def net():
    import onnxruntime

    return onnxruntime.InferenceSession(str(Path(__file__).parent / "depth" / "net.onnx"))


@tensorleap_custom_loss("silog")
def silog(truth, guess):
    return scores.silog(truth, guess)


@tensorleap_custom_metric("depth", direction={
    "abs_rel": MetricDirection.Downward, "rmse": MetricDirection.Downward, "delta1": MetricDirection.Upward,
}, compute_insights={"abs_rel": True, "rmse": True, "delta1": True})
def depth_metrics(truth, guess):
    return scores.depth_scores(truth, guess)


@tensorleap_custom_visualizer("picture", LeapDataType.Image)
def picture(image) -> LeapImage:
    return LeapImage((image[0] * 255).astype(np.uint8))


@tensorleap_custom_visualizer("predicted_depth", LeapDataType.ImageWithHeatmap)
def predicted_depth(image, guess) -> LeapImageWithHeatmap:
    return LeapImageWithHeatmap(image[0] * 255, guess[0].transpose(2, 0, 1), ["depth"])


@tensorleap_custom_visualizer("error", LeapDataType.ImageWithHeatmap)
def error(image, truth, guess) -> LeapImageWithHeatmap:
    off = np.where(truth[0] > 0, guess[0] - truth[0], 0)[..., 0]
    heatmaps = np.stack([np.maximum(off, 0), np.maximum(-off, 0)]).astype(np_float)
    return LeapImageWithHeatmap(image=image[0] * 255, heatmaps=heatmaps, labels=["too far", "too near"])


@tensorleap_custom_visualizer("zones", LeapDataType.ImageMask)
def zones(image, guess) -> LeapImageMask:
    mask = 1 + np.digitize(guess[0, ..., 0], [SETTINGS.near, SETTINGS.far])
    return LeapImageMask(mask=mask.astype(np.uint8), image=image[0], labels=["near", "middle", "far"])


@tensorleap_integration_test()
def integration_test(room, response):
    image, truth = rgb(room, response), metres(room, response)
    model = net()
    guess = model.run(None, {model.get_inputs()[0].name: image})
    guess = guess[0]
    silog(truth, guess)
    depth_metrics(truth, guess)
    picture(image)
    predicted_depth(image, guess)
    error(image, truth, guess)
    zones(image, guess)
    mean_light(room, response)
    depth_metadata(room, response)


if __name__ == "__main__":
    for subset in preprocess():
        if subset.state != State.unlabeled:
            integration_test(subset.sample_ids[0], subset)
