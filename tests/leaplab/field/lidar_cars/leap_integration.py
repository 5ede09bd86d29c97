from pathlib import Path

import numpy as np
from code_loader import leap_binder
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.responsedataclasses import BoundingBox3D
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapPointCloud
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

import lidar_geometry as geometry
import lidar_scenes as scenes

BOX = ["x", "y", "z", "length", "width", "height", "yaw"]


@tensorleap_preprocess()
def list_scans():
    found = {
        DataStateType.training: scenes.sweep("drive0_", 11, 1),
        DataStateType.validation: scenes.sweep("drive1_", 7, 2),
        DataStateType.test: scenes.sweep("drive2_", 6, 3),
    }
    return [PreprocessResponse(data=sweep, sample_ids=list(sweep), state=state) for state, sweep in found.items()]


@tensorleap_input_encoder("points", channel_dim=-1)
def points(scan_id, sweep):
    return sweep.data[scan_id].points


@tensorleap_gt_encoder("kind")
def kind(scan_id, sweep):
    return np.eye(len(scenes.KINDS), dtype=np.float32)[scenes.KINDS.index(sweep.data[scan_id].kind)]


@tensorleap_gt_encoder("box")
def box(scan_id, sweep):
    return sweep.data[scan_id].box


@tensorleap_metadata("rain_mm", DatasetMetadataType.float)
def rain(scan_id, sweep):
    return sweep.data[scan_id].rain_mm


@tensorleap_metadata("object", {"kind": DatasetMetadataType.string, "range_m": DatasetMetadataType.float,
                                "wet": DatasetMetadataType.boolean})
def about_object(scan_id, sweep):
    scene = sweep.data[scan_id]
    return {"kind": scene.kind, "range_m": float(np.hypot(*scene.box[:2])), "wet": scene.rain_mm is not None}


leap_binder.leap_analysis_configuration.domain_gap_metadata = ["object_wet"]


@tensorleap_load_model([
    PredictionTypeHandler("kind", list(scenes.KINDS), channel_dim=-1),
    PredictionTypeHandler("box", BOX, channel_dim=-1),
])
def pointnet():
    import onnxruntime

    return onnxruntime.InferenceSession(str(Path(__file__).parent / "pointnet.onnx"))


@tensorleap_custom_loss("detection")
def detection_loss(kind_truth, box_truth, kind_logits, box_guess):
    logits = kind_logits.astype(np.float32)
    top = logits.max(axis=1)
    log_total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    classification = log_total - (kind_truth * logits).sum(axis=1)
    regression = geometry.huber(box_truth.astype(np.float32) - box_guess.astype(np.float32)).sum(axis=1)
    return classification + regression


@tensorleap_custom_metric("kind_hit", direction=MetricDirection.Upward, compute_insights=True)
def kind_hit(kind_truth, kind_logits):
    return (kind_truth.argmax(axis=1) == kind_logits.argmax(axis=1)).astype(np.float32)


@tensorleap_custom_metric("off_by", direction=MetricDirection.Downward, compute_insights=True)
def off_by(box_truth, box_guess):
    truth, guess = box_truth.astype(np.float32), box_guess.astype(np.float32)
    return {"metres": geometry.centre_distance(truth, guess), "radians": geometry.heading_error(truth, guess)}


def box3d(values, label, **more):
    x, y, z, length, width, height, yaw = (float(v) for v in values)
    sides = {"length": max(length, 0.1), "width": max(width, 0.1), "height": max(height, 0.1)}
    return BoundingBox3D(x=x, y=y, z=z, yaw=yaw, label=label, **sides, **more)


@tensorleap_custom_visualizer("scene", LeapDataType.PointCloud)
def scene_view(cloud, kind_truth, box_truth, kind_logits, box_guess) -> LeapPointCloud:
    shares = np.exp(kind_logits[0] - kind_logits[0].max())
    shares /= shares.sum()
    return LeapPointCloud(
        points=np.ascontiguousarray(cloud[0, :, :3]),
        intensity=cloud[0, :, 3].copy(),
        bounding_boxes=[
            box3d(box_truth[0], scenes.KINDS[int(kind_truth[0].argmax())], is_ground_truth=True),
            box3d(box_guess[0], scenes.KINDS[int(shares.argmax())], confidence=float(shares.max())),
        ],
    )


@tensorleap_custom_visualizer("height_above_ground", LeapDataType.PointCloud)
def height_view(cloud) -> LeapPointCloud:
    return LeapPointCloud(cloud[0][:, :3], intensity=cloud[0][:, 2].copy(), bounding_boxes=[])


@tensorleap_custom_visualizer("kinds", LeapDataType.HorizontalBar)
def kinds_view(kind_logits, kind_truth) -> LeapHorizontalBar:
    return LeapHorizontalBar(kind_logits[0], list(scenes.KINDS), gt=kind_truth[0])


@tensorleap_integration_test()
def run_everything(scan_id, sweep):
    cloud = points(scan_id, sweep)
    kind_truth, box_truth = kind(scan_id, sweep), box(scan_id, sweep)
    model = pointnet()
    predictions = model.run(None, {model.get_inputs()[0].name: cloud})
    detection_loss(kind_truth, box_truth, kind_logits=predictions[0], box_guess=predictions[1])
    kind_hit(kind_truth, predictions[0])
    off_by(box_truth, predictions[1])
    scene_view(cloud, kind_truth, box_truth, predictions[0], predictions[1])
    height_view(cloud)
    kinds_view(predictions[0], kind_truth)
    rain(scan_id, sweep)
    about_object(scan_id, sweep)


if __name__ == "__main__":
    for drive in list_scans():
        for name in drive.sample_ids[:2]:
            run_everything(name, drive)
