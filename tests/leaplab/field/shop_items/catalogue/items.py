from dataclasses import dataclass, field

import numpy as np

GARMENTS = ["shirt", "skirt", "shoe", "bag"]
COLOURS = ["red", "green", "blue"]


@dataclass
class Item:
    picture: np.ndarray = field(repr=False)
    garment: str
    colour: str
    price: float


def make_items(split: str, size: int) -> "dict[str, Item]":
    rng = np.random.default_rng([ord(c) for c in split])
    items = {}
    for n in range(size):
        garment, colour = int(rng.integers(4)), int(rng.integers(3))
        picture = np.full((16, 16, 3), 0.9)
        top, left = rng.integers(1, 4, 2)
        height, width = [(9, 8), (7, 11), (4, 10), (8, 6)][garment]
        picture[top : top + height, left : left + width] = 0.15
        picture[top : top + height, left : left + width, colour] = 0.8
        picture += rng.normal(0, 0.03, picture.shape)
        items[f"{split}/{n}"] = Item(
            picture.clip(0, 1).astype(np.float32), GARMENTS[garment], COLOURS[colour], round(float(rng.uniform(5, 90)), 2)
        )
    return items
