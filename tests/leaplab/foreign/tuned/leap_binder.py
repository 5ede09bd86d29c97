"""Three simulations: one to tune, one with a single parameter, and one that fails in every way there is."""

import sys
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
    tensorleap_simulation,
)
from scenes import LYING, draw  # type: ignore[import-not-found]

TARGET = {"light": 0.8, "tint": -0.5, "place": 7, "lying": "upright"}
UNIT = {"type": "float", "bounds": {"min": -1.0, "max": 1.0}}
PLACE = {"type": "int", "bounds": {"min": 0, "max": 9}}
WAYS = (
    *("fine", "raises", "exits", "fewer", "more", "twice", "nothing", "grouped", "random", "shape", "dtype", "nan"),
    *("odd_ids", "encoder"),
)


@tensorleap_preprocess()
def preprocess():
    generator = np.random.default_rng(8)
    several = [
        draw(1, (9, number), *generator.uniform(-1, 1, 2), int(generator.integers(10)), LYING[number % 2])[0]
        for number in range(80)
    ]
    target = draw(60, 10, **TARGET)
    return [
        PreprocessResponse(sample_ids=[f"t{n}" for n in range(60)], data=several[:60], state=DataStateType.training),
        PreprocessResponse(sample_ids=[f"v{n}" for n in range(20)], data=several[60:], state=DataStateType.validation),
        PreprocessResponse(sample_ids=[f"u{n}" for n in range(60)], data=target, state=DataStateType.unlabeled),
    ]


def simulated(pictures, ids=None) -> Any:
    ids = [f"made/{number}" for number in range(len(pictures))] if ids is None else ids
    return PreprocessResponse(sample_ids=ids, data=list(pictures), state=DataStateType.additional)


@tensorleap_simulation("scene", {"light": UNIT, "tint": UNIT, "place": PLACE, "lying": {"type": "string", "bounds": {"values": list(LYING)}}})  # fmt: skip  # noqa: E501
def simulate_scene(light, tint, place, lying, N, seed):
    return simulated(draw(N, (11, seed), light, tint, place, lying))


@tensorleap_simulation("light", {"light": UNIT})
def simulate_light(light, N, seed):
    return simulated(draw(N, (12, seed), light, -0.5, 7, "upright"))


@tensorleap_simulation("faulty", {"way": {"type": "string", "bounds": {"values": list(WAYS)}}})
def simulate_faulty(way, N, seed):
    pictures = draw(N, seed, 0.0, 0.0, 0, LYING[0])
    if way == "raises":
        raise RuntimeError("the engine is cold")
    if way == "exits":
        sys.exit("no licence")
    if way == "nothing":
        return None
    if way == "grouped":
        return PreprocessResponse(sample_ids=[["a", "b"]], data=list(pictures), state=DataStateType.additional)
    if way == "random":
        pictures = pictures + np.random.default_rng().normal(0, 0.01, pictures.shape).astype(np.float32)
    if way == "shape":
        pictures = pictures[:, :9]
    if way == "dtype":
        pictures = pictures.astype(np.float64)
    if way == "nan":
        pictures[-1, 0, 0, 0] = np.nan
    if way == "encoder":
        return simulated(pictures, [f"other/{number + N}" for number in range(N)])
    pictures = {"fewer": pictures[: N - 1], "more": np.repeat(pictures, 2, axis=0)}.get(way, pictures)
    ids = {"twice": ["made/0"] * N, "odd_ids": [0.5 + number for number in range(N)]}.get(way)
    response = simulated(pictures, None if way == "odd_ids" else ids)
    if way == "odd_ids":
        response.sample_ids = ids
    return response


@tensorleap_input_encoder("picture", channel_dim=-1)
def encode_picture(sample_id, response):
    return response.data[sample_id if isinstance(sample_id, int) else int(sample_id.split("/")[-1].lstrip("tvu"))]


@tensorleap_gt_encoder("halves")
def encode_halves(sample_id, response):
    return np.eye(2, dtype=np.float32)[int(sample_id[1:]) % 2]


@tensorleap_metadata("brightness", DatasetMetadataType.float)
def metadata_brightness(sample_id, response):
    return float(encode_picture(sample_id, response).mean())


@tensorleap_custom_latent_space("colours")
def latent_colours(sample_id, response: PreprocessResponse):
    return encode_picture(sample_id, response).mean(axis=(0, 1))


@tensorleap_custom_loss("squares")
def loss_squares(truth, guess):
    return np.square(truth.astype(np.float32) - guess).sum(axis=1)


@tensorleap_load_model([PredictionTypeHandler(name="halves", labels=["one", "other"], channel_dim=-1)])
def load_model():
    import onnxruntime

    return onnxruntime.InferenceSession(str(Path(__file__).parent / "model.onnx"))


@tensorleap_integration_test()
def integration_test(sample_id, response):
    picture = encode_picture(sample_id, response)
    truth = encode_halves(sample_id, response)
    model = load_model()
    guess = model.run(None, {model.get_inputs()[0].name: picture})[0]
    loss_squares(truth, guess)
    metadata_brightness(sample_id, response)
    latent_colours(sample_id, response)
