"""The oldest style: functions handed to `leap_binder`, positions as ids, no states, no model, no integration test.

`leap_mapping.yaml` tells what feeds what. Visualizers take one sample, without a batch axis.
"""

from typing import Any

import numpy as np
from code_loader import leap_binder
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage

LABELS = ["a", "b", "c"]


def image_of(number) -> Any:
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)


def preprocess():
    return [PreprocessResponse(length=5, data=0), PreprocessResponse(length=3, data=5)]


def encode_position(idx, response):
    return np.full(2, idx, np.float32)


def encode_offsets(idx, response):
    return np.array([(response.data + idx) % 2, 0, -1], np.float32)


def encode_image(idx, response):
    return image_of(response.data + idx)


def encode_classes(idx, response):
    return np.eye(3, dtype=np.float32)[(response.data + idx) % 3]


def metadata_number(idx, response):
    return response.data + idx


def squares(truth, guess):
    return np.square(truth - guess).sum(axis=1)


def hit(truth, guess):
    return (truth.argmax(axis=1) == guess.argmax(axis=1)).astype(np.float32)


def sure(guess, threshold=0.5):
    return (guess.max(axis=1) > threshold).astype(np.float32)


def picture(image) -> LeapImage:
    return LeapImage((image * 255).astype(np.uint8))


def bars(values) -> LeapHorizontalBar:
    return LeapHorizontalBar(values, LABELS)


leap_binder.set_preprocess(preprocess)
leap_binder.set_input(encode_position, "position")
leap_binder.set_input(encode_offsets, "offsets")
leap_binder.set_input(encode_image, "image")
leap_binder.set_ground_truth(encode_classes, "classes")
leap_binder.set_metadata(metadata_number, "number")
leap_binder.add_prediction("classes", LABELS)
leap_binder.add_custom_loss(squares, "squares")
leap_binder.add_custom_metric(hit, "hit", MetricDirection.Upward)
leap_binder.add_custom_metric(sure, "sure", MetricDirection.Upward)
leap_binder.set_visualizer(picture, "picture", LeapDataType.Image)
leap_binder.set_visualizer(bars, "bars", LeapDataType.HorizontalBar)

if __name__ == "__main__":
    leap_binder.check()
