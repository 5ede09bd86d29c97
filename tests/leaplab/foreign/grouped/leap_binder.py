"""Ids in groups: encoders and metadata take a group and return a list."""

from pathlib import Path
from typing import Any

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_latent_space,
    tensorleap_custom_loss,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
    tensorleap_preprocess,
)


def image_of(number) -> Any:
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)


def number_of(sample_id, response) -> Any:
    return response.data + int(sample_id[1:])


@tensorleap_preprocess()
def preprocess():
    training, validation = [["t0", "t1", "t2"], ["t3", "t4"]], [["v0", "v1"], ["v2"]]
    return [
        PreprocessResponse(sample_ids=training, data=0, state=DataStateType.training),
        PreprocessResponse(sample_ids=validation, data=5, state=DataStateType.validation),
    ]


@tensorleap_input_encoder("image", channel_dim=-1)
def encode_image(group, response):
    return [image_of(number_of(sample_id, response)) for sample_id in group]


@tensorleap_gt_encoder("classes")
def encode_classes(group, response):
    return np.eye(3, dtype=np.float32)[[number_of(sample_id, response) % 3 for sample_id in group]]


@tensorleap_metadata("number", DatasetMetadataType.int)
def metadata_number(group, response):
    return [number_of(sample_id, response) for sample_id in group]


@tensorleap_metadata("parts", {"double": DatasetMetadataType.int, "odd": DatasetMetadataType.boolean})
def metadata_parts(group, response):
    numbers = [number_of(sample_id, response) for sample_id in group]
    return [{"double": 2 * number, "odd": None if number == 4 else number % 2 == 1} for number in numbers]


@tensorleap_custom_latent_space("rows")
def latent_rows(group, response: PreprocessResponse):
    return [image_of(number_of(sample_id, response)).mean(axis=(1, 2)) for sample_id in group]


@tensorleap_custom_loss("squares")
def loss_squares(truth, guess):
    return np.square(truth.astype(np.float32) - guess).sum(axis=1)


@tensorleap_load_model([PredictionTypeHandler(name="classes", labels=["a", "b", "c"], channel_dim=-1)])
def load_model():
    import onnxruntime

    return onnxruntime.InferenceSession(str(Path(__file__).parent / "model.onnx"))


@tensorleap_integration_test()
def integration_test(group, response):
    images = encode_image(group, response)
    truths = encode_classes(group, response)
    model = load_model()
    guess = model.run(None, {model.get_inputs()[0].name: images[0]})[0]
    loss_squares(truths[0], guess)
    metadata_number(group, response)
    metadata_parts(group, response)
    latent_rows(group, response)
