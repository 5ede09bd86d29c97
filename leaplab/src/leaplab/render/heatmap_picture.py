"""The picture of a heat-map: over what the integration's own visualizer shows, where it has drawn it."""

import numpy as np
from PIL.Image import Image

from leaplab.population.heatmap import Heatmap
from leaplab.render.heatmap_overlay import Map, Sign, draw_layer, draw_overlay
from leaplab.render.image import displayable


def heatmap_picture(answer: Heatmap, told: str, sign: Sign) -> Image:
    """One picture, a panel a class.

    Args:
        told: the sample, in words.
        sign: what raises, what lowers, or both.
    """
    picture, shown = (answer.picture if answer.is_image else None), answer.values
    if answer.drawing is not None:
        picture, shown = displayable(answer.drawing.picture).astype(np.float32), answer.drawing.values
    panels = [
        Map(f"{name}  {value:.3g}", values)
        for name, value, values in zip(answer.names, answer.targets.tolist(), shown, strict=True)
    ]
    layers = answer.layer.split(", ") if answer.layer else []
    at = f" at {layers[0]}" if len(layers) == 1 else f" at {len(layers)} layers" if layers else ""
    return draw_overlay(picture, panels, sign, [f"{told}, {answer.of}: {answer.method}{at}, {absent_words(answer)}."])


def heatmap_layer(answer: Heatmap) -> Image | None:
    """The first map alone, half transparent, of the size of the image that it lies over; None without an image."""
    if answer.drawing is not None:
        shape, values = displayable(answer.drawing.picture).shape, answer.drawing.values[0]
    elif answer.is_image:
        shape, values = answer.picture.shape, answer.values[0]
    else:
        return None
    return draw_layer(np.asarray(values, np.float64), (shape[1], shape[0]))


def absent_words(answer: Heatmap) -> str:
    """What stands for what is taken away, in words."""
    stands = {"mean": "the mean of the population", "blur": "a blur of its own", "zero": "0"}
    return f"{stands.get(answer.baseline, answer.baseline)} for what is taken away"
