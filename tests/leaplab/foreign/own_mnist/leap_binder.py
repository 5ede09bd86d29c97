"""A binder over a package of its own that is called as one of ours is."""

from pathlib import Path

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
from mnist.losses import squares  # type: ignore[import-not-found]

from mnist.data import image_of, number_of  # type: ignore[attr-defined]


@tensorleap_preprocess()
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
    return squares(truth, guess)


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
