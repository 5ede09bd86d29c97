"""Gradients of Keras models: a signed LayerCAM over several layers, and integrated gradients of the input.

What a target says of the outputs is numpy of the integration's own, so its slope there comes of finite differences;
from the outputs on, Keras's own gradient goes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError, QuestionError
from leaplab.protocol.cuts import FeatureMap
from leaplab.protocol.description import InputSpec
from leaplab.protocol.explaining import ExplainOrder
from leaplab.worker.batch import Batch
from leaplab.worker.explaining.ablation import fill_of, means_of
from leaplab.worker.explaining.changes import Changes
from leaplab.worker.explaining.keras_split import KerasSplit, keras_graph
from leaplab.worker.explaining.occlusion import fill_of_input, layout_of, means_of_input
from leaplab.worker.explaining.split import require_batch
from leaplab.worker.explaining.targets import Measured
from leaplab.worker.keras_model import KerasPredictor
from leaplab.worker.model import Array, Feature

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

MOST_OUTPUTS = 4096
"""Numbers of a sample's outputs up to which the slope of a target is measured one by one."""
STAGES = 3
"""Sizes of maps, the last ones, of each of which the last layer is taken."""
STEPS = 32
"""Points of a straight line from the baseline to the sample (Sundararajan et al., 2017, use 20 to 300)."""
STEP, SMALLEST = 1e-3, 1e-3
"""Of a finite difference: a share of the number, or of this where that is smaller."""


def graded(
    integration: Integration, order: ExplainOrder, spec: InputSpec, sample: Batch, target: Measured
) -> tuple[Changes, tuple[Array, ...], str]:
    """By how much what lies in each cell raises a target, to the first order.

    LayerCAM (Jiang et al., 2021) weighs each activation by its own gradient; here what an activation has more than the
    baseline, and negative gradients count as well, so that a map is in the target's units. Maps of several layers are
    stretched to the finest, each with the sum that it had, and averaged. For the input itself, integrated gradients:
    these sum up to what the target has more for the sample than for the baseline.

    Returns:
        The changes, the means that stood for what is absent, and the layers' names.

    Raises:
        LeaplabError: the model is not of Keras on TensorFlow or tells no graph, or it has too many outputs.
    """
    predictor = integration.predictor()
    if not isinstance(predictor, KerasPredictor) or not _has_tensorflow(predictor._model):
        raise QuestionError(
            "Gradients are taken of Keras models on TensorFlow that tell their graph; take --method ablation, or"
            " occlusion."
        )
    names = integration.description.model_inputs
    inputs = [sample.inputs[name] for name in names]
    position = names.index(spec.name)
    if order.layer == spec.name:
        return (*_integrated(integration, order, spec, sample, target, predictor, position), spec.name)
    splits = [
        KerasSplit(predictor, (each,), (tensor,)) for each, tensor in _chosen(predictor, position, order.layer, inputs)
    ]
    means: tuple[Array, ...] = ()
    if order.baseline == "mean":
        means = order.means or tuple(mean for split in splits for mean in means_of(integration, order, split))
    parts = []
    base = np.zeros(len(target.names))
    for place, split in enumerate(splits):
        (whole,) = split.trunk(inputs)
        base, slopes = _slopes(split, whole, inputs, sample, target)
        (each,) = split.maps
        excess = whole[0] - fill_of(whole[0], each, order.baseline, place, means)
        parts.append((slopes * excess[None]).sum(axis=1 if each.channel_axis == 1 else 3))
    finest = max((split.maps[0] for split in splits), key=lambda each: each.height * each.width)
    stretched = [_stretched(part, finest.height, finest.width) for part in parts]
    values = np.mean(stretched, axis=0)
    return Changes(base, values, 0, len(splits)), means, ", ".join(split.maps[0].tensor for split in splits)


def _has_tensorflow(model: Any) -> bool:
    """Keras 2 has no other backend; Keras 3 tells which by its own function."""
    import importlib

    package = next(base.__module__.partition(".")[0] for base in type(model).__mro__ if base.__name__ == "Model")
    backend = getattr(importlib.import_module(package), "backend", None)
    told = getattr(backend, "backend", None)
    return told is None or told() == "tensorflow"


def _chosen(
    predictor: KerasPredictor, position: int, layer: str, inputs: Sequence[Array]
) -> list[tuple[FeatureMap, Any]]:
    found = keras_graph(predictor, position, inputs)
    maps = list(found.graph.maps.items())
    if layer:
        wanted = layer.split(",")
        maps = [(key, each) for key, each in maps if each.tensor in wanted]
        missing = [name for name in wanted if all(each.tensor != name for _, each in maps)]
        if missing:
            raise QuestionError(
                f"The model has no layer '{missing[0]}' with two axes of space and more than one cell; --layer list"
                " tells those that a map can be taken of."
            )
    else:
        last = {(each.height, each.width): (key, each) for key, each in maps}  # the last of each size stays
        maps = list(last.values())[-STAGES:]
    if not maps:
        raise LeaplabError(
            "The model has no feature map of more than one cell, of which a gradient could be shown; take --method"
            " occlusion, or integrated gradients by --layer with the input's name."
        )
    return [(each, found.tensors[key]) for key, each in maps]


def _slopes(
    split: KerasSplit, whole: Array, inputs: Sequence[Array], sample: Batch, target: Measured
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[K] the targets, and [K, ...] their gradients at one map."""
    import tensorflow

    outputs, features = split.head([whole], inputs)
    base, weights = _weights(require_batch(outputs, 1), features, sample, target)
    slopes = []
    for row in range(len(base)):
        with tensorflow.GradientTape() as tape:
            given = tensorflow.convert_to_tensor(whole)
            tape.watch(given)
            made = split.differentiable(given, inputs)
            total = _weighted(tensorflow, made, [each[row] for each in weights])
        found = tape.gradient(total, given)
        slopes.append(np.zeros(whole.shape[1:]) if found is None else np.asarray(found, np.float64)[0])
    return base, np.stack(slopes)


def _weighted(tensorflow: Any, made: Sequence[Any], weights: Sequence[NDArray[np.float64]]) -> Any:
    parts = [
        tensorflow.reduce_sum(each * tensorflow.cast(weight, each.dtype))
        for each, weight in zip(made, weights)
        if weight.size and np.any(weight)
    ]
    return tensorflow.add_n(parts) if parts else tensorflow.reduce_sum(made[0]) * 0.0


def _weights(
    outputs: Sequence[Array | None], features: Sequence[Feature], sample: Batch, target: Measured
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """The targets, and the slope of each at every number of the outputs and of what feeds the head, [K, 1, ...].

    Raises:
        LeaplabError: there are too many, or a slope is no number.
    """
    arrays = [None if each is None else np.asarray(each) for each in outputs]
    takes_features = target.takes_features
    sources: list[Array | None] = [*([None] * len(arrays) if takes_features else arrays)]
    sources += [feature.values if takes_features else None for feature in features]
    size = sum(each[0].size for each in sources if each is not None)
    if size > MOST_OUTPUTS:
        raise QuestionError(
            f"The outputs hold {size:,} numbers a sample, and the slope of '{target.names[0]}' would be measured at"
            f" each; up to {MOST_OUTPUTS:,} that is done: take --method ablation, which needs no gradient."
        )
    base = target.of_outputs(sample, arrays, features)[0]
    weights = []
    for place, source in enumerate(sources):
        if source is None:
            shape = arrays[place] if place < len(arrays) else features[place - len(arrays)].values
            weights.append(np.zeros((len(base), 1, *(() if shape is None else shape.shape[1:]))))
            continue
        flat = source.reshape(-1).astype(np.float64)
        steps = STEP * np.maximum(np.abs(flat), SMALLEST)
        ends = []
        for sign in (1, -1):
            moved = np.repeat(flat[None], len(flat), axis=0)
            moved[np.arange(len(flat)), np.arange(len(flat))] += sign * steps
            changed = moved.reshape(len(flat), *source.shape[1:]).astype(source.dtype)
            ends.append(_replaced(arrays, features, place, changed, sample, target))
        slope = (ends[0] - ends[1]) / (2 * steps)[:, None]
        if not np.isfinite(slope).all():
            raise LeaplabError(
                f"'{target.names[0]}' is NaN or infinite beside the outputs of this sample, so that it has no gradient;"
                " take --method ablation."
            )
        weights.append(slope.T.reshape(len(base), *source.shape))
    return base, weights


def _replaced(
    arrays: Sequence[Array | None],
    features: Sequence[Feature],
    place: int,
    changed: Array,
    sample: Batch,
    target: Measured,
) -> NDArray[np.float64]:
    rows = len(changed)
    outputs = [None if each is None else np.repeat(each, rows, axis=0) for each in arrays]
    others = [feature._replace(values=np.repeat(feature.values, rows, axis=0)) for feature in features]
    if place < len(arrays):
        outputs[place] = changed
    else:
        others[place - len(arrays)] = others[place - len(arrays)]._replace(values=changed)
    return target.of_outputs(sample, outputs, others)


def _integrated(
    integration: Integration,
    order: ExplainOrder,
    spec: InputSpec,
    sample: Batch,
    target: Measured,
    predictor: KerasPredictor,
    position: int,
) -> tuple[Changes, tuple[Array, ...]]:
    import tensorflow

    layout = layout_of(spec)
    inputs = [sample.inputs[name] for name in integration.description.model_inputs]
    array = inputs[position]
    means = means_of_input(integration, order, spec, layout) if order.baseline == "mean" else ()
    absent = fill_of_input(array[0], layout, order.baseline, means)
    total = np.zeros((len(target.names), *array.shape[1:]))
    for step in range(STEPS):
        at = (absent + (step + 0.5) / STEPS * (array[0] - absent)).astype(array.dtype)[None]
        given = [*inputs[:position], at, *inputs[position + 1 :]]
        outputs, features = predictor.run(given)
        _, weights = _weights(require_batch(outputs, 1), features, sample, target)
        for row in range(len(target.names)):
            with tensorflow.GradientTape() as tape:
                tensors = [tensorflow.convert_to_tensor(each) for each in given]
                tape.watch(tensors[position])
                made = predictor._model(tensors if len(tensors) > 1 else tensors[0], training=False)
                made = made if isinstance(made, (list, tuple)) else [made]
                value = _weighted(tensorflow, made, [each[row] for each in weights])
            found = tape.gradient(value, tensors[position])
            if found is not None:
                total[row] += np.asarray(found, np.float64)[0]
    values = total / STEPS * (array[0] - absent)[None]
    outputs, features = predictor.run(inputs)
    base = target.of_outputs(sample, require_batch(outputs, 1), features)[0]
    others = tuple(axis + 1 for axis in range(array.ndim - 1) if axis not in layout.axes)
    flat = values.sum(axis=others)
    return Changes(base, flat.reshape(len(base), *layout.grid(array.shape[1:])), 0, STEPS), means


def _stretched(values: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """[K, H, W] on a finer grid, each cell's value shared out among those that it covers, so that the sum stays."""
    rows = np.minimum((np.arange(height) + 0.5) * values.shape[1] / height, values.shape[1] - 1).astype(int)
    columns = np.minimum((np.arange(width) + 0.5) * values.shape[2] / width, values.shape[2] - 1).astype(int)
    share = np.outer(1 / np.bincount(rows)[rows], 1 / np.bincount(columns)[columns])
    return values[:, rows][:, :, columns] * share
