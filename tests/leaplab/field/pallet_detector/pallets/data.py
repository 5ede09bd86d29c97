"""Generated warehouse pictures: coloured boxes on a grey floor."""

import numpy as np

from pallets.config import CFG, HEIGHT, NUM_CLASSES, WIDTH


def make_picture(rng, number):
    """A CHW float image and its boxes [n, 5]: class, centre x, centre y, width, height, relative to the image."""
    image = rng.uniform(0.35, 0.55, (3, HEIGHT, WIDTH))
    boxes = []
    for _ in range(0 if number == 3 else int(rng.integers(1, CFG["max_boxes"]))):
        label = int(rng.integers(NUM_CLASSES))
        w, h = rng.integers(8, 17, size=2)
        left, top = rng.integers(0, WIDTH - w), rng.integers(0, HEIGHT - h)
        image[:, top : top + h, left : left + w] *= 0.4
        image[label, top : top + h, left : left + w] += 0.6
        boxes.append([label, (left + w / 2) / WIDTH, (top + h / 2) / HEIGHT, w / WIDTH, h / HEIGHT])
    return image.clip(0, 1).astype(np.float32), np.array(boxes, dtype=np.float32).reshape(-1, 5)


def load_split(name):
    split = CFG["splits"][name]
    rng = np.random.default_rng(split["seed"])
    records = {}
    for number in range(split["count"]):
        image, boxes = make_picture(rng, number)
        records[f"{name}/{number:04d}.jpg"] = {
            "image": image,
            "boxes": boxes,
            "camera": "north" if rng.random() < 0.5 else "south",
            "lux": None if number % 4 == 1 else float(rng.uniform(100, 900)),
        }
    return records


def pad_boxes(boxes):
    """Boxes as a fixed array [max_boxes, 5]; rows of class -1 hold nothing."""
    padded = np.zeros((CFG["max_boxes"], 5), dtype=np.float32)
    padded[:, 0] = -1
    padded[: len(boxes)] = boxes
    return padded
