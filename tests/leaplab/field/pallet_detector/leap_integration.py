import os

import numpy as np
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.responsedataclasses import BoundingBox
from code_loader.contract.visualizer_classes import LeapImageWithBBox
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss, tensorleap_custom_metric, tensorleap_custom_visualizer, tensorleap_gt_encoder,
    tensorleap_input_encoder, tensorleap_integration_test, tensorleap_load_model, tensorleap_metadata,
    tensorleap_preprocess,
)

from pallets.boxes import corners, detections, iou, match
from pallets.config import CFG, CLASSES, ROOT
from pallets.data import load_split, pad_boxes
from pallets.loss import detection_loss, real_rows


@tensorleap_preprocess()
def preprocess_func():
    responses = []
    for name in CFG["splits"]:
        records = load_split(name)
        responses.append(PreprocessResponse(sample_ids=list(records), data=records, state=DataStateType[name]))
    return responses


@tensorleap_input_encoder("images", channel_dim=1)
def input_images(idx, preprocess):
    return preprocess.data[idx]["image"]


@tensorleap_gt_encoder("boxes")
def gt_boxes(idx, preprocess):
    return pad_boxes(preprocess.data[idx]["boxes"])


@tensorleap_metadata("picture", {
    "objects": DatasetMetadataType.int,
    "largest_area": DatasetMetadataType.float,
    "camera": DatasetMetadataType.string,
    "lux": DatasetMetadataType.float,
    "brightness": DatasetMetadataType.float,
})
def metadata_picture(idx, preprocess):
    record = preprocess.data[idx]
    areas = record["boxes"][:, 3] * record["boxes"][:, 4]
    return {
        "objects": len(areas),
        "largest_area": float(areas.max()) if len(areas) else None,
        "camera": record["camera"],
        "lux": record["lux"],
        "brightness": float(record["image"].mean()),
    }


@tensorleap_load_model([PredictionTypeHandler("detections", ["x", "y", "w", "h", *CLASSES], channel_dim=1)])
def load_model():
    import onnxruntime as ort

    return ort.InferenceSession(os.path.join(ROOT, CFG["model"]), providers=["CPUExecutionProvider"])


@tensorleap_custom_loss("detection_loss")
def loss_detection(boxes, output):
    return np.array([detection_loss(b, o) for b, o in zip(boxes, output)], dtype=np.float32)


RECALLS = [f"{name}_recall" for name in CLASSES]


@tensorleap_custom_metric(
    "per_class",
    direction={**{key: MetricDirection.Upward for key in RECALLS}, "false_positives": MetricDirection.Downward},
    compute_insights={**{key: True for key in RECALLS}, "false_positives": True},
)
def metric_per_class(boxes, output):
    """Recall of each class, absent where the picture has none of it, and how many detections hit nothing."""
    result = {key: [] for key in [*RECALLS, "false_positives"]}
    for padded, out in zip(boxes, output):
        truth, found = real_rows(padded), detections(out)
        hits = match(truth, found)
        for label, key in enumerate(RECALLS):
            mine = [i for i in range(len(truth)) if truth[i, 0] == label]
            result[key].append(sum(i in hits for i in mine) / len(mine) if mine else None)
        result["false_positives"].append(float(hits.count(None)))
    return result


@tensorleap_custom_metric("best_iou", direction=MetricDirection.Upward, compute_insights=True)
def metric_best_iou(boxes, output):
    """Mean over the objects of the best overlap of any detection of their class; absent without objects."""
    values = []
    for padded, out in zip(boxes, output):
        truth, found = real_rows(padded), detections(out)
        best = [max([float(iou(corners(row[None, 1:]), box[None])[0, 0]) for label, _, box in found
                     if label == row[0]], default=0.0) for row in truth]
        values.append(float(np.mean(best)) if best else None)
    return values


def to_uint8(image):
    return (image.transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)


def drawn_box(label, confidence, box):
    x0, y0, x1, y1 = (float(v) for v in np.clip(box, 0, 1))
    return BoundingBox((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, confidence, CLASSES[label])


@tensorleap_custom_visualizer("truth", LeapDataType.ImageWithBBox)
def visualize_truth(images, boxes) -> LeapImageWithBBox:
    truth = real_rows(boxes[0])
    drawn = [drawn_box(int(row[0]), 1.0, box) for row, box in zip(truth, corners(truth[:, 1:]))]
    return LeapImageWithBBox(to_uint8(images[0]), drawn)


@tensorleap_custom_visualizer("predicted", LeapDataType.ImageWithBBox)
def visualize_predicted(images, output) -> LeapImageWithBBox:
    return LeapImageWithBBox(to_uint8(images[0]), [drawn_box(*found) for found in detections(output[0])])


@tensorleap_integration_test()
def integration_test(idx, preprocess):
    images = input_images(idx, preprocess)
    boxes = gt_boxes(idx, preprocess)
    model = load_model()
    output = model.run(None, {model.get_inputs()[0].name: images})[0]
    metadata_picture(idx, preprocess)
    loss_detection(boxes, output)
    metric_per_class(boxes, output)
    metric_best_iou(boxes, output)
    visualize_truth(images, boxes)
    visualize_predicted(images, output)


if __name__ == "__main__":
    for subset in preprocess_func():
        for sample_id in subset.sample_ids[:3]:
            integration_test(sample_id, subset)
    print("done")
