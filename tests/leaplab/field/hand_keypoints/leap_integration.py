from collections import OrderedDict

import numpy as np

import code_loader.inner_leap_binder.leapbinder_decorators as leap
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType
from code_loader.contract.enums import MetricDirection as Direction
from code_loader.contract.visualizer_classes import LeapImage

from drawing import draw_crosses
from hands import COLOURS, HERE, INFO, NAMES, distances, make_subset

SUBSETS = OrderedDict(training=(12, 31), validation=(8, 32), test=(6, 33))


@leap.tensorleap_preprocess()
def preprocess():
    out = []
    for name, (size, seed) in SUBSETS.items():
        hands = make_subset(name, size, seed)
        out.append(PreprocessResponse(sample_ids=[*hands.keys()], data=hands, state=getattr(DataStateType, name)))
    return out


@leap.tensorleap_input_encoder("hand", channel_dim=-1)
def hand(sample_id, subset):
    return subset.data[sample_id][0]


@leap.tensorleap_gt_encoder("keypoints")
def keypoints(sample_id, subset):
    return subset.data[sample_id][1]


@leap.tensorleap_metadata("side", DatasetMetadataType.string)
def side(sample_id, subset):
    return subset.data[sample_id][2]


@leap.tensorleap_metadata("hidden_points", DatasetMetadataType.int)
def hidden_points(sample_id, subset):
    return int((subset.data[sample_id][1][:, 2] == 0).sum())


@leap.tensorleap_load_model([PredictionTypeHandler(name="keypoints", labels=["x", "y"], channel_dim=-1)])
def hand_model():
    import onnxruntime

    return onnxruntime.InferenceSession(str(HERE / "hands.onnx"), providers=["CPUExecutionProvider"])


@leap.tensorleap_custom_loss("wing")
def wing(truth, guess, w=0.1, curvature=0.02):
    """Wing loss over the visible points; every hand has its wrist visible."""
    away = distances(truth, guess)
    linear = w - w * np.log(1 + w / curvature)
    each = np.where(away < w, w * np.log(1 + away / curvature), away - linear)
    visible = truth[..., 2].astype(np.float32)
    return (each * visible).sum(axis=1) / visible.sum(axis=1)


ERRORS = [name + "_error" for name in NAMES]


@leap.tensorleap_custom_metric(
    "points",
    direction={**dict.fromkeys(ERRORS, Direction.Downward), "pck": Direction.Upward},
    compute_insights={**dict.fromkeys(ERRORS, True), "pck": True},
)
def points_metric(truth, guess):
    away, visible = distances(truth, guess), truth[..., 2] > 0
    result = {
        name: [float(d) if seen else None for d, seen in zip(away[:, i], visible[:, i])]
        for i, name in enumerate(ERRORS)
    }
    near = (away < INFO["pck_radius"]) & visible
    result["pck"] = (near.sum(axis=1) / visible.sum(axis=1)).astype(np.float32)
    return result


@leap.tensorleap_custom_visualizer("hand_only", LeapDataType.Image)
def hand_only(image) -> LeapImage:
    return LeapImage(np.uint8(255 * image[0]))


@leap.tensorleap_custom_visualizer("with_points", LeapDataType.Image)
def with_points(image, points) -> LeapImage:
    shown = points[0]
    colours = [c for i, c in enumerate(COLOURS) if shown.shape[1] == 2 or shown[i, 2] > 0]
    visible = shown if shown.shape[1] == 2 else shown[shown[:, 2] > 0]
    return LeapImage(draw_crosses(image[0], visible[:, :2], colours), compress=False)


@leap.tensorleap_integration_test()
def integration(sample_id, subset):
    image = hand(sample_id, subset)
    truth = keypoints(sample_id, subset)
    model = hand_model()
    guess = model.run(None, {model.get_inputs()[0].name: image})[0]
    wing(truth, guess)
    points_metric(truth, guess)
    hand_only(image)
    with_points(image, truth)
    with_points(image, guess)
    side(sample_id, subset)
    hidden_points(sample_id, subset)


if __name__ == "__main__":
    first, second, *_ = preprocess()
    integration(first.sample_ids[0], first)
    integration(second.sample_ids[0], second)
    print("fine")
