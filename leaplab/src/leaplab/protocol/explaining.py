"""What is asked of a heat-map, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from leaplab.protocol.cuts import FeatureMap
from leaplab.protocol.description import Description, Node
from leaplab.protocol.inspection import SampleOrder, Visual

METHODS = ("ablation", "occlusion", "gradient")
BASELINES = ("mean", "blur", "zero")
DECODERS = ("yolo",)
TRUTHS = ("ImageMask", "ImageWithBBox")
"""Types of visualizers that say where something is, the more exact first."""
UNMARKED = frozenset({"background", "bg", "none", "o", "unlabeled", "unlabelled"})
"""Labels of a mask, without regard to case, that mark nothing; `leaplab.render.colours` leaves them clear."""


@dataclass(frozen=True)
class Target:
    """What a heat-map is of: `loss`, `loss:NAME`, `class:NAME`, `class:all`, `metric:NAME`, `instance:N`,
    `similar`, `detection:K`.

    Attributes:
        kind: `loss`, `class`, `metric`, `instance`, `similar` or `detection`.
        name: of the loss (empty: the sum of all), metric or class; `all` classes; the number of a detection, from 1;
            of an element instance, its number, from 0, and behind a colon the metric where there are several.
        reference: of `similar`, the other sample's latent vector, [W] float32.
        decoder: `yolo` where a detection is a row of the output, empty where a visualizer tells it.
    """

    kind: str
    name: str = ""
    reference: Any = None
    decoder: str = ""


@dataclass(frozen=True)
class SplitModel:
    """An ONNX model in two files: the trunk makes the maps of the inputs, the head the outputs of the maps.

    Attributes:
        trunk, head: absolute paths.
        maps: that the model is cut at, in the order of the head's first inputs.
        trunk_inputs: positions of the model's inputs that the trunk takes.
        head_inputs: positions of those that the head takes behind the maps.
        shapes: how many tensors the trunk gives behind the maps, and the head takes behind its inputs, that are a shape
            of something before the cut: the first number of each is the batch.
        outputs: number of the model's outputs, which the head gives first.
        features: (tensor, channel axis) of what feeds the head of the model, as the head gives it behind these.
    """

    trunk: str
    head: str
    maps: tuple[FeatureMap, ...]
    trunk_inputs: tuple[int, ...]
    head_inputs: tuple[int, ...]
    shapes: int
    outputs: int
    features: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ShapesOrder:
    """Run a model once, on one sample.

    Attributes:
        path: of an ONNX model with the same inputs, whose outputs are shapes.
        outputs: how many these are.
    """

    sample: SampleOrder
    path: str
    outputs: int


@dataclass(frozen=True)
class ExplainOrder:
    """A heat-map to compute.

    Attributes:
        sample: that it is of.
        target: what it is of.
        method: one of `METHODS`.
        baseline: what stands for what is absent, one of `BASELINES`.
        input: name of the input that it lies over; empty takes the first that is an image, else the first.
        block: cells (of occlusion, pixels or entries) of a side of what is taken away at once; None chooses.
        split: of an ONNX model, for ablation.
        layer: of a Keras model, the layer to cut at; empty chooses.
        population: samples that `mean` is the mean of.
        means: what an earlier answer gave as such, so that it need not be computed again.
        asks_truth: whether the ground truth is to be shown by its visualizer, and the map not to be drawn.
    """

    sample: SampleOrder
    target: Target
    method: str
    baseline: str = "mean"
    input: str = ""
    block: int | None = None
    split: SplitModel | None = None
    layer: str = ""
    population: tuple[SampleOrder, ...] = ()
    means: tuple[Any, ...] | None = None
    asks_truth: bool = False


@dataclass(frozen=True)
class Drawing:
    """Heat-maps as the integration's own visualizer lays them over what it shows.

    Attributes:
        visualizer: its unique name.
        picture: that it shows, [H, W, 1 or 3] of 0..255.
        values: [K, h, w] float32, what its heat-map function makes of the maps.
    """

    visualizer: str
    picture: Any
    values: Any


@dataclass(frozen=True)
class Explanation:
    """A heat-map.

    Attributes:
        names: K classes where all are asked for; else one, what the target is.
        targets: [K] float64, the target of the sample as it is.
        values: [K, H, W] float64: by how much what lies there raises the target, that is, by how much the target falls
            without it; NaN where the target is no number then.
        method, layer, baseline: that were used.
        input: name of the input that it lies over.
        picture: that input of the sample, float32 without batch axis, channels last where it is an image.
        is_image: whether it is one.
        means: to give back with the next order.
        notices: what a person should know of it, a sentence each.
        drawing: by the integration's own visualizer; None where it has none for the input.
        truth: what the visualizer of the ground truth shows, where that is asked for and there is one.
    """

    names: tuple[str, ...]
    targets: Any
    values: Any
    method: str
    layer: str
    baseline: str
    input: str
    picture: Any
    is_image: bool
    means: tuple[Any, ...] = ()
    notices: tuple[str, ...] = field(default_factory=tuple)
    drawing: Drawing | None = None
    truth: Visual | None = None


@dataclass(frozen=True)
class Layer:
    """A map that a model may be cut at.

    Attributes:
        use: `head`, `deep`, both, or empty where it is not chosen without being named.
    """

    map: FeatureMap
    use: str = ""


@dataclass(frozen=True)
class LayersOrder:
    """Tell where a Keras model may be cut.

    Attributes:
        sample: whose input it is measured on.
        input: name of the input that the heat-map is to lie over; empty takes the first that is an image.
    """

    sample: SampleOrder
    input: str = ""


@dataclass(frozen=True)
class CellsOrder:
    """Tell what a model makes of each place of some samples: the cells of one map.

    Attributes:
        sample: that is whole, of which shapes are measured.
        samples: that are asked for; those that cannot be encoded are left out.
        input: name of the input that the map lies over; empty takes the first that is an image.
        split: of an ONNX model, cut at one map.
        layer: of a Keras model, the layer that makes the map; empty chooses.
    """

    sample: SampleOrder
    samples: tuple[SampleOrder, ...]
    input: str = ""
    split: SplitModel | None = None
    layer: str = ""


@dataclass(frozen=True)
class Cells:
    """The cells of some samples.

    Attributes:
        places: of these among the samples that were asked for.
        values: [B, h, w, C] float16, infinite where a number is too large for that.
        layer: that makes the map.
        input: name of the input that it lies over.
        height, width: of that input, in pixels.
    """

    places: tuple[int, ...]
    values: Any
    layer: str
    input: str
    height: int
    width: int


def truth_visualizer(description: Description) -> Node | None:
    """The first visualizer of masks, else of boxes, that shows the ground truth and no prediction."""
    for type_ in TRUTHS:
        for node in description.visualizers:
            kinds = {source.kind for source in node.arguments.values()}
            if node.type == type_ and "ground_truth" in kinds and "prediction" not in kinds:
                return node
    return None
