"""Generated samples: noise, and a bright row in one of three places."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZE, CLASSES = 6, 3
SHADES = ("dark", "grey, or nearly so", "hell & weiß")


@dataclass(frozen=True)
class Sample:
    image: NDArray[np.float32]
    bias: NDArray[np.float32]
    label: int
    number: int


def draw(state: str, count: int, seed: int) -> dict[str, Sample]:
    """`count` samples of a state by their ids, the same for the same seed."""
    generator = np.random.default_rng([seed, len(state)])
    drawn = {}
    for number in range(count):
        label = int(generator.integers(CLASSES))
        image = generator.uniform(0, 0.6, (SIZE, SIZE, 1)).astype(np.float32)
        image[2 * label] += 0.4
        bias = generator.normal(0, 0.5, CLASSES).astype(np.float32)
        drawn[f"{state}-{number:02d}"] = Sample(image, bias, label, number)
    return drawn


def one_hot(sample: Sample) -> NDArray[np.float32]:
    return np.asarray(np.arange(CLASSES) == sample.label, np.float32)


def smoothed(sample: Sample) -> NDArray[np.float32]:
    return np.asarray(0.9 * one_hot(sample) + 0.1 / CLASSES, np.float32)


def row_means(sample: Sample) -> NDArray[np.float32]:
    return np.asarray(sample.image.mean(axis=(1, 2)), np.float32)


def brightness(sample: Sample) -> float | None:
    return None if sample.number % 5 == 1 else float(sample.image.mean())


def shade(sample: Sample) -> str | None:
    return None if sample.number % 5 == 2 else SHADES[sample.number % 3]


def is_dark(sample: Sample) -> bool | None:
    return None if sample.number % 5 == 3 else bool(sample.image.mean() < 0.36)


def peak(sample: Sample) -> dict[str, int | float | None]:
    if sample.number % 5 == 4:
        return {"row": None, "height": None}
    return {"row": int(sample.image.mean(axis=(1, 2)).argmax()), "height": float(sample.image.max())}
