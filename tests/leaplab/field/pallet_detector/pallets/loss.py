import numpy as np

from pallets.boxes import corners, iou, split_output


def real_rows(padded):
    return padded[padded[:, 0] >= 0].astype(np.float32)


def detection_loss(padded, output):
    """Of one sample: box loss and class loss of the best anchor of each object, and a background loss."""
    truth = real_rows(padded)
    boxes, scores = split_output(output)
    scores = scores.clip(1e-4, 1 - 1e-4)
    targets = np.zeros_like(scores)
    box_loss = 0.0
    for row in truth:
        overlaps = iou(corners(row[None, 1:]), boxes)[0]
        best = int(overlaps.argmax())
        box_loss += 1 - overlaps[best]
        targets[best, int(row[0])] = 1
    bce = -(targets * np.log(scores) + (1 - targets) * np.log(1 - scores))
    return box_loss / max(len(truth), 1) + bce.mean()
