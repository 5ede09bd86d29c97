"""A model in two parts: a trunk that makes feature maps, and a head that goes on from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.cuts import FeatureMap
from leaplab.protocol.explaining import SplitModel
from leaplab.protocol.model import EditedModel
from leaplab.worker.loading import load_predictor
from leaplab.worker.model import Array, Feature, Predictor

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration


class Split:
    """Both parts.

    Attributes:
        maps: that the trunk makes and the head takes.
    """

    maps: tuple[FeatureMap, ...]

    def trunk(self, inputs: Sequence[Array]) -> list[Array]:
        """The maps [B, ...] of some samples' inputs, in the model's order."""
        raise NotImplementedError

    def head(self, maps: Sequence[Array], inputs: Sequence[Array]) -> tuple[list[Array | None], list[Feature]]:
        """What follows from maps [B, ...].

        Args:
            inputs: of the one sample that all of them are of, [1, ...].

        Returns:
            The model's outputs, None for one without a batch axis, and what feeds its own head.
        """
        raise NotImplementedError


class OnnxSplit(Split):
    """An ONNX model, cut by the lab."""

    def __init__(self, integration: Integration, split: SplitModel) -> None:
        self.maps = split.maps
        self._split = split
        made = len(split.maps) + split.shapes
        self._trunk = _opened_part(integration.model, EditedModel(split.trunk, made, ()))
        self._head = _opened_part(integration.model, EditedModel(split.head, split.outputs, split.features))
        self._shapes: list[Array] = []

    def trunk(self, inputs: Sequence[Array]) -> list[Array]:
        given = [inputs[place] for place in self._split.trunk_inputs]
        outputs, _ = _padded(self._trunk, given)
        count = len(self.maps)
        self._shapes = [np.asarray(each) for each in outputs[count:]]
        return outputs[:count]

    def head(self, maps: Sequence[Array], inputs: Sequence[Array]) -> tuple[list[Array | None], list[Feature]]:
        rows = len(maps[0])
        step = self._head.fixed_batch or rows
        others = [np.repeat(inputs[place], rows, axis=0) for place in self._split.head_inputs]
        given = [*maps, *others]
        parts = []
        for start in range(0, rows, step):
            some = [array[start : start + step] for array in given]
            shapes = [_of_batch(shape, step) for shape in self._shapes]
            parts.append(_padded(self._head, some, shapes))
        return _joined([outputs for outputs, _ in parts]), _joined_features([features for _, features in parts])


def _opened_part(model: Any, part: EditedModel) -> Predictor:
    """One part of a model, with the integration's own options where it made a session; else on all cores.

    An evaluation leaves one core to the encoders, which have nothing to do here.
    """
    if not isinstance(model, Path):
        return load_predictor(model, part)
    import onnxruntime

    from leaplab.worker.onnx_model import OnnxPredictor

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return OnnxPredictor(model, part, options)


_opened: WeakKeyDictionary[Any, dict[str, OnnxSplit]] = WeakKeyDictionary()


def open_split(integration: Integration, split: SplitModel) -> OnnxSplit:
    """The two parts, made to run once for all heat-maps of an integration."""
    known = _opened.setdefault(integration, {})
    if split.head not in known:
        known[split.head] = OnnxSplit(integration, split)
    return known[split.head]


def _of_batch(shape: Array, rows: int) -> Array:
    """A shape that was computed before the cut, for another batch."""
    changed = shape.copy()
    if changed.size:
        changed.reshape(-1)[0] = rows
    return changed


def _padded(
    predictor: Predictor, arrays: Sequence[Array], others: Sequence[Array] = ()
) -> tuple[list[Any], list[Feature]]:
    """Run arrays [B, ...] through a model that may take one batch size alone; the last one is repeated then."""
    rows = len(arrays[0])
    missing = (predictor.fixed_batch or rows) - rows
    if missing > 0:
        arrays = [np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) for array in arrays]
    if missing < 0:  # more than it takes at once
        size = predictor.fixed_batch or rows
        parts = [
            _padded(predictor, [array[start : start + size] for array in arrays], others)
            for start in range(0, rows, size)
        ]
        return _joined([outputs for outputs, _ in parts]), _joined_features([features for _, features in parts])
    outputs, features = predictor.run([*arrays, *others])
    if missing:
        outputs = [each[:rows] if np.ndim(each) and len(each) == rows + missing else each for each in outputs]
        features = [feature._replace(values=feature.values[:rows]) for feature in features]
    return list(outputs), features


def _joined(parts: Sequence[Sequence[Any]]) -> list[Any]:
    return [each[0] if len(each) == 1 else np.concatenate(each) for each in zip(*parts)]


def _joined_features(parts: Sequence[Sequence[Feature]]) -> list[Feature]:
    return [
        each[0] if len(each) == 1 else each[0]._replace(values=np.concatenate([one.values for one in each]))
        for each in zip(*parts)
    ]


def require_batch(outputs: Sequence[Any], rows: int) -> list[Array | None]:
    """The outputs, None for one whose first axis is not the batch.

    Raises:
        LeaplabError: none has one.
    """
    kept = [each if isinstance(each, np.ndarray) and each.ndim and len(each) == rows else None for each in outputs]
    if all(each is None for each in kept):
        raise LeaplabError("No output of the model has a batch axis, so that nothing can be told of changed samples.")
    return kept
