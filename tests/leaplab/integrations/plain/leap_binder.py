"""An older integration: ids are positions, and there is no integration test."""

from pathlib import Path
from typing import Any

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_load_model,
    tensorleap_metadata,
    tensorleap_preprocess,
)
from numpy.typing import NDArray


@tensorleap_preprocess()
def preprocess() -> list[PreprocessResponse]:
    generator = np.random.default_rng(5)
    return [
        PreprocessResponse(length=20, data=generator.normal(size=(20, 4)), state=DataStateType.training),
        PreprocessResponse(length=12, data=generator.normal(size=(12, 4)), state=DataStateType.validation),
    ]


@tensorleap_input_encoder("vector", channel_dim=-1)
def encode_vector(position: int, response: PreprocessResponse) -> NDArray[np.float32]:
    return np.asarray(response.data[position], np.float32)


@tensorleap_gt_encoder("sign")
def encode_sign(position: int, response: PreprocessResponse) -> NDArray[np.float32]:
    return np.asarray(np.sign(response.data[position].sum()), np.float32).reshape(1)


@tensorleap_metadata("position", DatasetMetadataType.int)
def metadata_position(position: int, response: PreprocessResponse) -> int:
    return position


@tensorleap_load_model([PredictionTypeHandler(name="halves", labels=["a", "b"], channel_dim=-1)])
def load_model() -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(Path(__file__).parent / "dense.onnx"))
