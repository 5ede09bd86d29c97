import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DataStateType, DatasetMetadataType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapGraph, LeapImage, LeapVideo
from code_loader.inner_leap_binder.leapbinder_decorators import *

from src.motion.clips import ClipStore, toModelInput, toOneHot
from src.motion.settings import directionNames, modelFile


@tensorleap_preprocess()
def preprocessFunc():
    train, val, test = ClipStore("train", 12, 21), ClipStore("val", 8, 22), ClipStore("test", 6, 23)
    return [
        PreprocessResponse(sample_ids=train.clipIds(), data=train, state=DataStateType.training),
        PreprocessResponse(sample_ids=val.clipIds(), data=val, state=DataStateType.validation),
        PreprocessResponse(sample_ids=test.clipIds(), data=test, state=DataStateType.test),
    ]


@tensorleap_input_encoder(name="video", channel_dim=-1)
def encodeVideo(clipId, response):
    return toModelInput(response.data.clip(clipId)["frames"])


@tensorleap_gt_encoder(name="direction")
def encodeDirection(clipId, response):
    return toOneHot(response.data.clip(clipId)["direction"])


@tensorleap_metadata(name="direction_name", metadata_type=DatasetMetadataType.string)
def directionName(clipId, response):
    return response.data.clip(clipId)["direction"]


@tensorleap_metadata(name="speed", metadata_type=DatasetMetadataType.int)
def speed(clipId, response):
    return response.data.clip(clipId)["speed"]


@tensorleap_metadata(name="night", metadata_type=DatasetMetadataType.boolean)
def night(clipId, response):
    return response.data.clip(clipId)["night"]


@tensorleap_load_model([PredictionTypeHandler(name="direction", labels=directionNames, channel_dim=-1)])
def loadModel():
    import onnxruntime as rt

    options = rt.SessionOptions()
    options.intra_op_num_threads = 1
    return rt.InferenceSession(str(modelFile), sess_options=options)


@tensorleap_custom_loss(name="cross_entropy")
def crossEntropy(groundTruth, prediction):
    clipped = np.clip(prediction.astype(np.float32), 1e-6, 1)
    return -np.sum(groundTruth.astype(np.float32) * np.log(clipped), axis=-1)


@tensorleap_custom_metric(
    name="right",
    direction={"direction": MetricDirection.Upward, "axis": MetricDirection.Upward},
    compute_insights={"direction": True, "axis": False},
)
def right(groundTruth, prediction):
    truth, guess = groundTruth.argmax(axis=1), prediction.argmax(axis=1)
    return {"direction": (truth == guess).astype(np.float32), "axis": (truth // 2 == guess // 2).astype(np.float32)}


@tensorleap_custom_visualizer(name="clip", visualizer_type=LeapDataType.Video)
def showClip(video) -> LeapVideo:
    return LeapVideo(video[0])


@tensorleap_custom_visualizer(name="trace", visualizer_type=LeapDataType.Image)
def showTrace(video) -> LeapImage:
    return LeapImage((video[0].max(axis=0) * 255).astype(np.uint8), compress=False)


@tensorleap_custom_visualizer(name="brightness", visualizer_type=LeapDataType.Graph)
def showBrightness(video) -> LeapGraph:
    return LeapGraph(video[0].mean(axis=(1, 2)), x_label="frame", y_label="mean", legend=["red", "green", "blue"])


@tensorleap_integration_test()
def integrationTest(clipId, response):
    video = encodeVideo(clipId, response)
    groundTruth = encodeDirection(clipId, response)
    model = loadModel()
    prediction = model.run(None, {model.get_inputs()[0].name: video})[0]
    crossEntropy(groundTruth, prediction)
    right(groundTruth, prediction)
    showClip(video)
    showTrace(video)
    showBrightness(video)
    directionName(clipId, response)
    speed(clipId, response)
    night(clipId, response)


if __name__ == "__main__":
    subsets = preprocessFunc()
    integrationTest(subsets[0].sample_ids[0], subsets[0])
    integrationTest(subsets[1].sample_ids[-1], subsets[1])
    print("integration test passed")
