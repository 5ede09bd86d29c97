"""Box arithmetic on corners, in relative coordinates."""

import numpy as np

from pallets.config import CFG, HEIGHT, WIDTH


def corners(xywh):
    half = xywh[..., 2:] / 2
    return np.concatenate([xywh[..., :2] - half, xywh[..., :2] + half], axis=-1)


def iou(first, second):
    """[n, 4] and [m, 4] corners -> [n, m]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    area = np.prod(first[:, 2:] - first[:, :2], axis=-1)[:, None] + np.prod(second[:, 2:] - second[:, :2], axis=-1)
    return shared / np.maximum(area - shared, 1e-9)


def split_output(output):
    """One sample's [4 + classes, anchors] of the model -> relative corners [anchors, 4], scores [anchors, classes]."""
    rows = output.T.astype(np.float32)
    return corners(rows[:, :4] / np.array([WIDTH, HEIGHT, WIDTH, HEIGHT], dtype=np.float32)), rows[:, 4:]


def detections(output):
    """Confident boxes of one sample after suppression, best first: [(class, score, corners)]."""
    boxes, scores = split_output(output)
    labels, best = scores.argmax(axis=1), scores.max(axis=1)
    order = [i for i in np.argsort(-best, kind="stable") if best[i] >= CFG["confidence"]]
    kept = []
    for i in order:
        rivals = np.array([boxes[j] for j in kept if labels[j] == labels[i]]).reshape(-1, 4)
        if not (iou(boxes[i : i + 1], rivals) > CFG["nms_iou"]).any():
            kept.append(i)
    return [(int(labels[i]), float(best[i]), boxes[i]) for i in kept]


def match(truth, found):
    """Which of `found`, best first, hits a truth box [n, 5] of its own class; each truth is hit at most once."""
    boxes, free, hits = corners(truth[:, 1:]), set(range(len(truth))), []
    for label, _, box in found:
        rivals = [i for i in free if truth[i, 0] == label]
        overlaps = iou(box[None], boxes[rivals])[0] if rivals else np.zeros(0)
        hit = rivals[int(overlaps.argmax())] if len(rivals) and overlaps.max() >= CFG["match_iou"] else None
        free.discard(hit)
        hits.append(hit)
    return hits
