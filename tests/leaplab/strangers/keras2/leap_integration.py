"""A tabular regression with two inputs, in Keras 2 as TensorFlow 2.12 has it."""
from pathlib import Path

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapText
from code_loader.inner_leap_binder.leapbinder_decorators import *

ROOT = Path(__file__).parent


def house(number):
    rng = np.random.RandomState(number)
    rooms, plan = rng.uniform(0, 1, 5).astype(np.float32), rng.uniform(0, 1, (6, 6, 2)).astype(np.float32)
    return rooms, plan, np.float32(rooms.sum() + plan.mean())


@tensorleap_preprocess()
def preprocess_func():
    states = ((DataStateType.training, range(9)), (DataStateType.validation, range(50, 55)))
    return [
        PreprocessResponse(sample_ids=["h%d" % n for n in numbers], data={"h%d" % n: house(n) for n in numbers}, state=state)
        for state, numbers in states
    ]


@tensorleap_input_encoder("rooms", channel_dim=-1)
def rooms(idx, preprocess):
    return preprocess.data[idx][0]


@tensorleap_input_encoder("plan", channel_dim=-1)
def plan(idx, preprocess):
    return preprocess.data[idx][1]


@tensorleap_gt_encoder("price")
def price(idx, preprocess):
    return np.array([preprocess.data[idx][2]], np.float32)


@tensorleap_metadata("largest_room", DatasetMetadataType.int)
def largest_room(idx, preprocess):
    return int(preprocess.data[idx][0].argmax())


@tensorleap_metadata("garden", DatasetMetadataType.float)
def garden(idx, preprocess):
    return None if idx == "h3" else float(preprocess.data[idx][1].max())


@tensorleap_load_model([PredictionTypeHandler("price", ["euro"], channel_dim=-1)])
def load():
    import tensorflow as tf

    return tf.keras.models.load_model(str(ROOT / "house.h5"), compile=False)


@tensorleap_custom_loss("squared_error")
def squared_error(y_true, y_pred):
    return np.square(y_true.astype(np.float32) - y_pred.astype(np.float32)).mean(axis=-1)


@tensorleap_custom_metric("error", direction=MetricDirection.Downward)
def error(y_true, y_pred):
    return np.abs(y_true.astype(np.float32) - y_pred.astype(np.float32)).reshape(-1)


@tensorleap_custom_visualizer("told", LeapDataType.Text)
def told(y_pred) -> LeapText:
    return LeapText(["price", "%.1f" % float(y_pred.reshape(-1)[0])])


@tensorleap_integration_test()
def check(idx, preprocess):
    model = load()
    a, b = rooms(idx, preprocess), plan(idx, preprocess)
    y_true = price(idx, preprocess)
    y_pred = model([a, b])
    squared_error(y_true, y_pred)
    error(y_true, y_pred)
    told(y_pred)
    largest_room(idx, preprocess)
    garden(idx, preprocess)


if __name__ == "__main__":
    responses = preprocess_func()
    check(responses[0].sample_ids[0], responses[0])
