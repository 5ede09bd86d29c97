"""Ids as a table of pandas gives them: numpy's text in an array. It prints, as do the libraries that it imports."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
    tensorleap_preprocess,
)

print(
    "2026-11-01 10:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.", file=sys.stderr
)
print("The images are made up.")


def image_of(number) -> Any:
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)


def number_of(sample_id, response) -> Any:
    return response.data[sample_id]


@tensorleap_preprocess()
def preprocess():
    training = np.array([f"t{n}" for n in range(5)])
    validation = np.array([f"v{n}" for n in range(3)])
    numbers = [dict(zip(training, range(5))), dict(zip(validation, range(5, 8)))]  # noqa: B905 - Python 3.8
    return [
        PreprocessResponse(sample_ids=training, data=numbers[0], state=DataStateType.training),
        PreprocessResponse(sample_ids=validation, data=numbers[1], state=DataStateType.validation),
    ]


@tensorleap_input_encoder("image", channel_dim=-1)
def encode_image(sample_id, response):
    return image_of(number_of(sample_id, response))


@tensorleap_gt_encoder("classes")
def encode_classes(sample_id, response):
    return np.eye(3, dtype=np.float32)[number_of(sample_id, response) % 3]


@tensorleap_metadata("number", DatasetMetadataType.int)
def metadata_number(sample_id, response):
    return number_of(sample_id, response)


@tensorleap_custom_loss("squares")
def loss_squares(truth, guess):
    return np.square(truth.astype(np.float32) - guess).sum(axis=1)


@tensorleap_load_model([PredictionTypeHandler(name="classes", labels=["a", "b", "c"], channel_dim=-1)])
def load_model():
    import onnxruntime

    return onnxruntime.InferenceSession(str(Path(__file__).parent / "model.onnx"))


@tensorleap_integration_test()
def integration_test(sample_id, response):
    image = encode_image(sample_id, response)
    truth = encode_classes(sample_id, response)
    model = load_model()
    guess = model.run(None, {model.get_inputs()[0].name: image})[0]
    metadata_number(sample_id, response)
    loss_squares(truth, guess)
