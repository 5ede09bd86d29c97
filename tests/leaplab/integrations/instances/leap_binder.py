"""Images whose rows are brighter from top to bottom, and elements that cover some of the rows.

Ids are such that an instance and a sample share one: instance 1 of 'a' is 'a_1', too.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from code_loader.contract.datasetclasses import ElementInstance, PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, MetricDirection
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_instances_metric,
    tensorleap_custom_loss,
    tensorleap_custom_metric,
    tensorleap_element_instance_preprocess,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_instances_length_encoder,
    tensorleap_instances_masks_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
)
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
SIZE, MOST = 6, 3
Array = NDArray[np.float32]


class Element(NamedTuple):
    name: str
    top: int
    rows: int
    metadata: dict[str, Any] | None


class Sample(NamedTuple):
    level: int
    elements: tuple[Element | None, ...]


TRAINING = {
    "a": Sample(
        0,
        (
            Element("bolt", 0, 1, {"row": 0, "weight": 0.5, "kind": "metal"}),
            Element("nut", 1, 2, {"row": 1, "weight": None, "kind": "metal"}),
            Element("washer", 3, 3, {"row": 3, "weight": 2, "kind": "rubber"}),
        ),
    ),
    "a_1": Sample(1, (Element("strap", 2, 2, {"row": 2, "weight": 1.5}),)),
    "b": Sample(2, ()),
    "c_c": Sample(3, (Element("ghost", 4, 0, None),)),
    "d": Sample(4, (None, Element("lid", 0, 6, {"row": 0, "weight": float("nan"), "kind": None}))),
}
VALIDATION = {"v_0": Sample(5, ()), "v": Sample(6, (Element("cap", 5, 1, {"row": 5, "weight": 3.0, "kind": "wood"}),))}
UNLABELED = {"u": Sample(7, (Element("rag", 1, 1, {"row": 1, "weight": 4.0, "kind": "cloth"}),)), "u_0": Sample(8, ())}


@tensorleap_instances_length_encoder("count")
def count_elements(sample_id: str, response: PreprocessResponse) -> int:
    return len(response.data[sample_id].elements)


@tensorleap_instances_masks_encoder("masks")
def encode_mask(sample_id: str, response: PreprocessResponse, number: int) -> ElementInstance | None:
    element: Element | None = response.data[sample_id].elements[number]
    if element is None:
        return None
    mask = np.zeros((SIZE, SIZE, 1), np.float32)
    mask[element.top : element.top + element.rows] = 1
    return ElementInstance(name=element.name, mask=mask, instance_metadata=element.metadata)


@tensorleap_element_instance_preprocess(
    count_elements,
    encode_mask,
    {"row": DatasetMetadataType.int, "weight": DatasetMetadataType.float, "kind": DatasetMetadataType.string},
)
def preprocess() -> list[PreprocessResponse]:
    return [
        PreprocessResponse(sample_ids=list(TRAINING), data=TRAINING, state=DataStateType.training),
        PreprocessResponse(sample_ids=list(VALIDATION), data=VALIDATION, state=DataStateType.validation),
        PreprocessResponse(sample_ids=list(UNLABELED), data=UNLABELED, state=DataStateType.unlabeled),
    ]


@tensorleap_input_encoder("image", channel_dim=-1)
def encode_image(sample_id: str, response: PreprocessResponse) -> Array:
    rows = (response.data[sample_id].level + np.arange(SIZE, dtype=np.float32)) / 16
    return np.repeat(rows, SIZE).reshape(SIZE, SIZE, 1)


@tensorleap_gt_encoder("elements")
def encode_elements(sample_id: str, response: PreprocessResponse) -> Array:
    """Top and number of rows of each element; -1 where there is none."""
    elements = np.full((MOST, 2), -1, np.float32)
    for number, element in enumerate(response.data[sample_id].elements):
        if element is not None:
            elements[number] = element.top, element.rows
    return elements


@tensorleap_metadata("level", DatasetMetadataType.int)
def metadata_level(sample_id: str, response: PreprocessResponse) -> int:
    level: int = response.data[sample_id].level
    return level


@tensorleap_custom_loss("squares")
def loss_squares(elements: Array, guess: Array) -> Array:
    return np.asarray(np.square(elements.astype(np.float32).sum(axis=2) - guess).sum(axis=1), np.float32)


@tensorleap_custom_metric("found", direction=MetricDirection.Upward, compute_insights=True)
def metric_found(elements: Array) -> Array:
    return np.asarray((elements[:, :, 0] >= 0).sum(axis=1), np.float32)


@tensorleap_custom_instances_metric("brightness", direction=MetricDirection.Upward, compute_insights=True)
def metric_brightness(image: Array, elements: Array) -> dict[int, Array]:
    """Mean of an element's rows; nothing of the third, and NaN where there are no rows."""
    numbers = range(MOST - 1)
    return {
        number: np.array([mean_of(*pair) for pair in zip(image, elements[:, number], strict=True)])
        for number in numbers
    }


def mean_of(image: Array, element: Array) -> np.float32:
    top, rows = (int(value) for value in element)
    covered = image[top : top + rows].astype(np.float32)
    return np.float32(covered.mean() if rows > 0 else np.nan)


@tensorleap_custom_instances_metric("darkest", direction=MetricDirection.Downward, compute_insights=False)
def metric_darkest(image: Array) -> dict[int, Array]:
    """Needs no ground truth, and knows not how many elements there are."""
    darkest = image.min(axis=(1, 2, 3)).astype(np.float32)
    return dict.fromkeys(range(7), darkest)


@tensorleap_load_model([PredictionTypeHandler(name="classes", labels=["top", "middle", "bottom"], channel_dim=-1)])
def load_model() -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(HERE / "tiny.onnx"))


@tensorleap_integration_test()
def integration_test(sample_id: str, response: PreprocessResponse) -> None:
    image = encode_image(sample_id, response)
    elements = encode_elements(sample_id, response)
    model = load_model()
    guess = model.run(None, {model.get_inputs()[0].name: image})[0]

    loss_squares(elements, guess)
    metric_found(elements)
    metric_brightness(image, elements)
    metric_darkest(image)
    metadata_level(sample_id, response)
