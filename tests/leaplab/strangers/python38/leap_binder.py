"""A defect classifier as a team on Python 3.8 writes it: a CSV beside the code, numpy 1, channels first."""
import csv
import os
from typing import Any, Dict, List

import numpy as np
from code_loader.contract.datasetclasses import (
    ConfusionMatrixElement,
    PredictionTypeHandler,
    PreprocessResponse,
)
from code_loader.contract.enums import (
    ConfusionMatrixValue,
    DataStateType,
    LeapDataType,
    MetricDirection,
)
from code_loader.contract.responsedataclasses import BoundingBox
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImageWithBBox
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss,
    tensorleap_custom_metric,
    tensorleap_custom_visualizer,
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_integration_test,
    tensorleap_load_model,
    tensorleap_metadata,
    tensorleap_preprocess,
)
from defects import draw
from defects.texture import spread

CLASSES = ["clean", "scratch", "hole"]
FOLDER = os.path.dirname(os.path.abspath(__file__))


@tensorleap_preprocess()
def preprocess() -> List[PreprocessResponse]:
    with open(os.path.join(FOLDER, "parts.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    responses = []
    for state in (DataStateType.training, DataStateType.validation, DataStateType.unlabeled):
        parts = {row["serial"]: row for row in rows if row["split"] == state.name}
        responses.append(PreprocessResponse(sample_ids=list(parts), data=parts, state=state))
    return responses


@tensorleap_input_encoder("part", channel_dim=1)
def encode_part(serial: str, response: PreprocessResponse) -> np.ndarray:
    row = response.data[serial]
    return draw(int(row["seed"]), CLASSES.index(row["defect"] or "clean"))


@tensorleap_gt_encoder("defect")
def encode_defect(serial: str, response: PreprocessResponse) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[CLASSES.index(response.data[serial]["defect"])]


@tensorleap_metadata("part")
def metadata_part(serial: str, response: PreprocessResponse) -> Dict[str, Any]:
    row = response.data[serial]
    return {
        "line": row["line"],
        "shift": int(row["shift"]),
        "spread": spread(encode_part(serial, response)),
        "reworked": row["reworked"] == "yes",
    }


@tensorleap_load_model([PredictionTypeHandler("defect", CLASSES, channel_dim=-1)])
def load_model():
    import onnxruntime as ort

    return ort.InferenceSession(os.path.join(FOLDER, "model", "parts.onnx"), providers=["CPUExecutionProvider"])


@tensorleap_custom_loss("focal")
def focal(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    chosen = (truth.astype(np.float32) * scores.astype(np.float32)).sum(axis=-1).clip(1e-6, 1)
    return -((1 - chosen) ** 2) * np.log(chosen)


@tensorleap_custom_metric("hit", direction=MetricDirection.Upward)
def hit(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return (truth.argmax(-1) == scores.argmax(-1)).astype(np.float32)


@tensorleap_custom_metric("scores", direction=MetricDirection.Upward, compute_insights=False)
def every_score(scores: np.ndarray) -> Dict[str, np.ndarray]:
    return {name: scores[:, place].astype(np.float32) for place, name in enumerate(CLASSES)}


@tensorleap_custom_metric("confusion", direction=MetricDirection.Downward)
def confusion(truth: np.ndarray, scores: np.ndarray) -> List[List[ConfusionMatrixElement]]:
    return [
        [
            ConfusionMatrixElement(
                name,
                ConfusionMatrixValue.Positive if one[place] else ConfusionMatrixValue.Negative,
                float(score[place]),
            )
            for place, name in enumerate(CLASSES)
        ]
        for one, score in zip(truth, scores)
    ]


@tensorleap_custom_visualizer("found", visualizer_type=LeapDataType.ImageWithBBox)
def found(part: np.ndarray, scores: np.ndarray) -> LeapImageWithBBox:
    score = scores.reshape(-1)
    box = BoundingBox(x=0.5, y=0.5, width=0.5, height=0.25, confidence=float(score.max()), label=CLASSES[score.argmax()])
    image = np.repeat((part.reshape(8, 8, 1).clip(0, 1) * 255).astype(np.uint8), 3, axis=-1)
    return LeapImageWithBBox(data=image, bounding_boxes=[box])


@tensorleap_custom_visualizer("bars", visualizer_type=LeapDataType.HorizontalBar)
def bars(scores: np.ndarray) -> LeapHorizontalBar:
    return LeapHorizontalBar(scores.reshape(-1), CLASSES)


@tensorleap_integration_test()
def integration_test(serial, response):
    part = encode_part(serial, response)
    truth = encode_defect(serial, response)
    metadata_part(serial, response)
    model = load_model()
    scores = model.run(None, {model.get_inputs()[0].name: part})[0]
    focal(truth, scores)
    hit(truth, scores)
    every_score(scores)
    confusion(truth, scores)
    found(part, scores)
    bars(scores)


if __name__ == "__main__":
    for each in preprocess()[:2]:
        integration_test(each.sample_ids[0], each)
