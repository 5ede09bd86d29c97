"""A heat-map of one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.protocol.description import Description, InputSpec
from leaplab.protocol.explaining import (
    BASELINES,
    METHODS,
    ExplainOrder,
    Explanation,
    Layer,
    LayersOrder,
    ShapesOrder,
    SplitModel,
    truth_visualizer,
)
from leaplab.protocol.inspection import Visual
from leaplab.protocol.model import EditedModel
from leaplab.worker.batch import Batch
from leaplab.worker.explaining.ablation import ablated, tiled
from leaplab.worker.explaining.drawn import drawn
from leaplab.worker.explaining.occlusion import layout_of, occluded
from leaplab.worker.explaining.sample import read
from leaplab.worker.explaining.split import Split, open_split
from leaplab.worker.explaining.targets import measured
from leaplab.worker.input_properties import channel_axis
from leaplab.worker.inspection import plain
from leaplab.worker.loading import load_predictor
from leaplab.worker.model import Array

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

_keras_splits: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()
TRIAL = 3
"""Samples of a run that measures shapes: a number that is seldom one of a model's own axes."""


def shapes(integration: Integration, order: ShapesOrder) -> list[Array]:
    """What a model gives, all of whose outputs are shapes, of a batch that repeats one sample.

    Returns:
        The outputs, and behind them how many samples were in the batch.
    """
    sample = read(integration, order.sample)
    predictor = load_predictor(integration.model, EditedModel(order.path, order.outputs, ()))
    rows = predictor.fixed_batch or TRIAL
    given = [np.repeat(sample.inputs[name], rows, axis=0) for name in integration.description.model_inputs]
    return [*predictor.run(given)[0], np.array([rows])]


def explain(integration: Integration, order: ExplainOrder) -> Explanation:
    """Compute a heat-map.

    Raises:
        LeaplabError: there is no such sample, target, input or layer; the target needs a ground truth that the sample
            has not; or no block that is taken away leaves it a number.
    """
    if order.method not in METHODS:
        raise QuestionError(f"There is no method '{order.method}'; there are {', '.join(METHODS)}.")
    if order.baseline not in BASELINES:
        raise QuestionError(f"There is no baseline '{order.baseline}'; there are {', '.join(BASELINES)}.")
    description = integration.description
    spec = input_named(description, order.input)
    sample = read(integration, order.sample)
    target = measured(integration, order.target, sample)
    notices: tuple[str, ...] = ()
    baseline = order.baseline
    layer = ""
    split: Split | None = None
    if order.method == "ablation":
        split, said = split_of(integration, order.split, order.layer, spec, sample, target.dense)
        notices += said
    if order.method == "gradient":
        from leaplab.worker.explaining.keras_gradient import graded

        changes, means, layer = graded(integration, order, spec, sample, target)
        method = "gradient"
    elif split is not None:
        changes, means = ablated(integration, order, split, sample, target)
        layer = ", ".join(each.tensor for each in split.maps)
        method = "ablation"
        notices += tuple(each for each in (tiled(split.maps, order.block),) if each)
    else:
        changes, means, said = occluded(integration, order, spec, sample, target)
        baseline = "zero" if said else baseline
        notices += said
        method = "occlusion"
    if changes.unknown:
        notices += (
            f"{changes.unknown} of the {changes.blocks} blocks leave the target without a number (NaN) when they are"
            " taken away, and count for nothing.",
        )
    drawing, truth = None, None
    if order.asks_truth:
        truth = _truth(integration, sample)
    elif np.any(np.nan_to_num(changes.values)):
        drawing, said = drawn(integration, spec, sample, changes.values)
        notices += said
    return Explanation(
        target.names,
        changes.targets,
        changes.values,
        method,
        layer,
        baseline,
        spec.name,
        _picture(spec, sample.inputs[spec.name][0]),
        layout_of(spec).is_image and channel_axis(spec) is not None,
        means,
        notices,
        drawing,
        truth,
    )


def _truth(integration: Integration, sample: Batch) -> Visual | None:
    node = truth_visualizer(integration.description)
    arguments = None if node is None else sample.arguments(node)
    if node is None or arguments is None:
        return None
    try:
        shown = integration.run_visualizer(node, sample.state, sample.ids[0], arguments)
    except LeaplabError as error:
        return Visual(node.column, node.type, error=str(error))
    return Visual(node.column, node.type, plain(shown))


def layers(integration: Integration, order: LayersOrder) -> list[Layer]:
    """Where a Keras model may be cut.

    Raises:
        LeaplabError: it tells no graph, or there is no such sample or input.
    """
    from leaplab.worker.explaining.keras_split import keras_layers
    from leaplab.worker.keras_model import KerasPredictor

    predictor = integration.predictor()
    spec = input_named(integration.description, order.input)
    if not isinstance(predictor, KerasPredictor):
        raise MissingError("The model tells no graph, so that it has no layers to name; take --method occlusion.")
    names = integration.description.model_inputs
    sample = read(integration, order.sample)
    return keras_layers(predictor, names.index(spec.name), [sample.inputs[name] for name in names])


def split_of(
    integration: Integration, split: SplitModel | None, layer: str, spec: InputSpec, sample: Batch, dense: bool
) -> tuple[Split | None, tuple[str, ...]]:
    """The model in two parts; where it has none, why.

    Args:
        split: that the lab has made of an ONNX model.
        layer: of a Keras model, to cut at; empty chooses.
        spec: of the input that the maps lie over.
        dense: see `leaplab.protocol.cuts.Cuts.chosen`.

    Raises:
        LeaplabError: there is no such layer.
    """
    if split is not None:
        return open_split(integration, split), ()
    predictor = integration.predictor()
    if predictor.format == "onnx":  # the lab has found none, and says why
        return None, ()
    from leaplab.worker.explaining.keras_split import split_keras
    from leaplab.worker.keras_model import KerasPredictor

    instead = "so that patches of the input are taken away instead (occlusion)"
    if not isinstance(predictor, KerasPredictor):
        if layer:
            raise QuestionError("The model tells no graph, so that no layer of it can be named; leave out --layer.")
        return None, (f"The model tells no graph that it could be cut in, {instead}.",)
    known = _keras_splits.setdefault(integration, {})
    asked = (predictor, spec.name, layer, dense)
    if asked not in known:
        names = integration.description.model_inputs
        inputs = [sample.inputs[name] for name in names]
        known[asked] = split_keras(predictor, names.index(spec.name), layer, dense, inputs)
    if known[asked] is not None:
        return known[asked], ()
    why = f"The model has no feature map of more than one cell between '{spec.name}' and its outputs"
    return None, (f"{why}, {instead}.",)


def input_named(description: Description, name: str) -> InputSpec:
    """An input of the model; where no name is given, the first that is an image, else the first.

    Raises:
        MissingError: there is none of that name.
    """
    specs = {spec.name: spec for spec in description.inputs if spec.name in description.model_inputs}
    if name and name not in specs:
        raise MissingError(f"The model has no input '{name}'; it has {', '.join(specs)}.")
    if name:
        return specs[name]
    return next((spec for spec in specs.values() if channel_axis(spec) is not None), next(iter(specs.values())))


def _picture(spec: InputSpec, array: Array) -> Array:
    return np.moveaxis(array, 0, -1) if channel_axis(spec) == 0 else array
