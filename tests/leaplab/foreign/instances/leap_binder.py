"""Samples with as many element instances as their number says."""

from pathlib import Path
from typing import Any

import numpy as np
from code_loader.contract.datasetclasses import ElementInstance, PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss,
    tensorleap_element_instance_preprocess,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_instances_length_encoder,
    tensorleap_instances_masks_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
)


def image_of(number) -> Any:
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)


def number_of(sample_id, response) -> Any:
    return response.data + int(sample_id[1:])


@tensorleap_instances_length_encoder("count")
def count_instances(sample_id, response) -> Any:
    return number_of(sample_id, response) % 3


@tensorleap_instances_masks_encoder("masks")
def encode_mask(sample_id, response, position) -> Any:
    mask = np.zeros((6, 6), np.float32)
    mask[position] = 1
    return ElementInstance(name=f"row {position}", mask=mask, instance_metadata={"row": position})


@tensorleap_element_instance_preprocess(count_instances, encode_mask)
def preprocess():
    return [
        PreprocessResponse(sample_ids=[f"t{n}" for n in range(5)], data=0, state=DataStateType.training),
        PreprocessResponse(sample_ids=[f"v{n}" for n in range(3)], data=5, state=DataStateType.validation),
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
    loss_squares(truth, guess)
    metadata_number(sample_id, response)
    count_instances(sample_id, response)
    encode_mask(sample_id, response, 0)
