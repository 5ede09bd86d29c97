"""Samples of one state on their way, and the one way in which a model is run on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Description, Node, Source
from leaplab.protocol.observations import Topic
from leaplab.worker.model import Feature, Predictor, latent_vectors

Array = NDArray[Any]
NUMERIC = "biufc"
"""Kinds of arrays that hold numbers; a model's output may hold text."""


@dataclass
class Batch:
    """Samples of one state on their way: encoders' arrays and, later, the model's outputs, all [B, ...].

    `ground_truths` is empty on the unlabeled state. `predictions` has None for an output that has no share for each
    sample, see `Inferred`. `instances` counts the element instances of each sample, and is empty where the integration
    has none.
    """

    state: str
    ids: list[str | int]
    inputs: dict[str, Array]
    ground_truths: dict[str, Array]
    predictions: list[Array | None] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)

    def arguments(self, node: Node) -> dict[str, Array] | None:
        """The node's arguments; None where one needs a ground truth or a prediction that these samples have not."""
        if any(s.kind == "ground_truth" and s.name not in self.ground_truths for s in node.arguments.values()):
            return None
        found = {argument: self._array(source, node) for argument, source in node.arguments.items()}
        arrays = {argument: array for argument, array in found.items() if array is not None}
        return arrays if len(arrays) == len(found) else None

    def _array(self, source: Source, node: Node) -> Array | None:
        if source.kind == "input":
            return self.inputs[source.name]
        if source.kind == "ground_truth":
            return self.ground_truths[source.name]
        if source.index >= len(self.predictions):
            raise LeaplabError(
                f"'{node.column}' takes output {source.index} of the model, which has {len(self.predictions)};"
                " correct the integration test or --model."
            )
        return self.predictions[source.index]


@dataclass(frozen=True)
class Inferred:
    """What a model says of a batch.

    Attributes:
        outputs: [B, ...] each, in the model's order; None for one without a batch axis, unless samples come one by one:
            then it gets one.
        latent: [B, W] float32, or None where the model gives none.
        unbatched: position of each output without a batch axis -> the shape that the model gave it.
        features: what feeds the head, of the whole batch.
    """

    outputs: list[Array | None]
    latent: Array | None
    unbatched: dict[int, tuple[int, ...]]
    features: list[Feature] = field(default_factory=list)

    def only(self, rows: Sequence[int]) -> Inferred:
        """Of some of the samples."""
        chosen = list(rows)
        outputs = [
            output if output is None or position in self.unbatched else output[chosen]
            for position, output in enumerate(self.outputs)
        ]
        latent = None if self.latent is None else self.latent[chosen]
        features = [feature._replace(values=feature.values[chosen]) for feature in self.features]
        return Inferred(outputs, latent, self.unbatched, features)


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with what a model makes of a batch.

    Attributes:
        topic: of the observation that a probe notes.
        name: of the prediction or the encoder, else `model`.
        text: what is wrong.
        mend: what to do about it; empty where the text says it.
        ends: whether nothing can be evaluated with this.
    """

    topic: Topic
    name: str
    text: str
    mend: str = ""
    ends: bool = True

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, for a person."""
        return f"{self.text}; {self.mend}." if self.mend else self.text


def infer(predictor: Predictor, description: Description, batch: Batch, size: int | None = None) -> Inferred:
    """Run the model on a batch.

    A model of fixed batch size gets the batch in pieces of it, the last sample repeated where one is missing.

    Args:
        size: the most samples that come together in this run; None takes those of the batch.

    Raises:
        LeaplabError: the model fails; the number of its outputs is not that of the prediction types; none of them has
            a batch axis, or one has another number of channels than labels.
    """
    inferred, flaws = _attempted(predictor, description, batch, size)
    for flaw in flaws:
        if flaw.ends:
            raise LeaplabError(flaw.sentence)
    assert inferred is not None
    return inferred


def probe_inference(predictor: Predictor, description: Description, batch: Batch) -> tuple[Inferred | None, list[Flaw]]:
    """Run the model on a batch as `infer` does, and tell every flaw of what it gives, NaN and infinity among them.

    Returns:
        None where the model fails.
    """
    inferred, flaws = _attempted(predictor, description, batch, None)
    if inferred is not None:
        flawed = {flaw.name for flaw in flaws}
        for output, prediction in zip(inferred.outputs, description.predictions):
            if output is None or prediction.name in flawed or output.dtype.kind not in NUMERIC:
                continue
            if not np.isfinite(output).all():
                text = f"Prediction '{prediction.name}' holds NaN or infinity"
                flaws.append(Flaw(Topic.MODEL_FINITE, prediction.name, text, ends=False))
    return inferred, flaws


def _attempted(
    predictor: Predictor, description: Description, batch: Batch, size: int | None
) -> tuple[Inferred | None, list[Flaw]]:
    try:
        inferred = _run(predictor, description, batch, size)
    except LeaplabError as error:
        return None, _failure(predictor, description, batch, error)
    return inferred, _flaws(inferred, predictor.fixed_batch or len(batch.ids), description)


def _run(predictor: Predictor, description: Description, batch: Batch, size: int | None) -> Inferred:
    feed = [batch.inputs[name] for name in description.model_inputs]
    count = len(batch.ids)
    step = predictor.fixed_batch or count
    one_by_one = (predictor.fixed_batch or size or count) == 1
    pieces: list[list[Array | None]] = []
    latents: list[Array] = []
    features: list[list[Feature]] = []
    unbatched: dict[int, tuple[int, ...]] = {}
    for start in range(0, count, step):
        rows = min(step, count - start)
        given = [array[start : start + rows] for array in feed]
        if rows < step:
            given = [np.concatenate([array, np.repeat(array[-1:], step - rows, axis=0)]) for array in given]
        outputs, fed = predictor.run(given)
        latent = latent_vectors(fed, step)
        piece: list[Array | None] = []
        for position, output in enumerate(outputs):
            if not isinstance(output, (np.ndarray, np.generic)):  # of onnxruntime, a sequence or a map
                unbatched.setdefault(position, ())
                piece.append(None)
            elif position in predictor.unbatched or output.ndim < 1 or len(output) != step:
                unbatched.setdefault(position, output.shape)
                piece.append(output[None] if one_by_one else None)
            else:
                piece.append(output[:rows])
        pieces.append(piece)
        if latent is not None:
            latents.append(latent[:rows])
            features.append([feature._replace(values=feature.values[:rows]) for feature in fed])
    joined = [_joined([piece[position] for piece in pieces]) for position in range(len(pieces[0]))]
    whole = [
        parts[0] if len(parts) == 1 else parts[0]._replace(values=np.concatenate([each.values for each in parts]))
        for parts in zip(*features)
    ]
    return Inferred(joined, _joined([*latents]) if latents else None, unbatched, whole)


def _joined(arrays: list[Array | None]) -> Array | None:
    if len(arrays) == 1:
        return arrays[0]
    whole = [array for array in arrays if array is not None]
    # What has no batch axis may have another length for each sample.
    if len(whole) < len(arrays) or len({array.shape[1:] for array in whole}) > 1:
        return None
    return np.concatenate(whole)


def _flaws(inferred: Inferred, rows: int, description: Description) -> list[Flaw]:
    outputs, declared = inferred.outputs, description.predictions
    if declared and len(declared) != len(outputs):
        names = ", ".join(prediction.name for prediction in declared)
        text = f"The model has {len(outputs)} outputs, but the integration declares {len(declared)} prediction types"
        return [Flaw(Topic.MODEL_OUTPUTS, "model", f"{text} ({names})", "declare one for every output")]
    flaws = []
    nothing = all(output is None for output in outputs)
    for position, (output, prediction) in enumerate(zip(outputs, declared)):
        labels, axis = len(prediction.labels), prediction.channel_dim
        if position in inferred.unbatched:
            text = f"Output {position} of the model has shape {inferred.unbatched[position]} for a batch of {rows}"
            flaws.append(Flaw(Topic.MODEL_BATCH, prediction.name, text, "its first axis must be the batch", nothing))
        elif labels and output is not None and not _has_channels(output, axis, labels):
            text = (
                f"Output {position} of the model has shape {output.shape}, but prediction type '{prediction.name}'"
                f" names {labels} labels along axis {axis}"
            )
            mend = "correct the labels or name the right model by --model"
            flaws.append(Flaw(Topic.MODEL_LABELS, prediction.name, text, mend))
    return flaws


def _has_channels(output: Array, axis: int, count: int) -> bool:
    return -output.ndim <= axis < output.ndim and output.shape[axis] == count


def _failure(predictor: Predictor, description: Description, batch: Batch, error: LeaplabError) -> list[Flaw]:
    """Why the model fails: an encoder gives a batch axis of its own where the model runs without it."""
    batched = [name for name in description.model_inputs if batch.inputs[name].shape[1:2] == (1,)]
    if batched:
        stripped = {name: array[:, 0] if name in batched else array for name, array in batch.inputs.items()}
        try:
            _run(predictor, description, replace(batch, inputs=stripped), None)
        except LeaplabError:
            pass  # the batch axis is not what it stumbles over
        else:
            return [_with_batch_axis(name, batch.inputs[name].shape[1:]) for name in batched]
    return [Flaw(Topic.MODEL_RUN, "model", str(error))]


def _with_batch_axis(name: str, shape: tuple[int, ...]) -> Flaw:
    text = f"The input '{name}' has shape {shape}; the model takes {shape[1:]}"
    return Flaw(Topic.ENCODER_BATCHED, name, text, "return one sample without a batch axis")
