"""The model, losses, metrics and visualizers on some samples, along the wiring."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Description, Node
from leaplab.protocol.observations import Topic
from leaplab.worker.batch import Batch, infer, probe_inference
from leaplab.worker.probing_samples import Note, Samples
from leaplab.worker.samples import Sample
from leaplab.worker.scoring import Kind, Scores, score_node

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Array = NDArray[Any]
TOLERANCE = 1e-4
"""Between a batch and single samples: a model's arithmetic depends on the batch size in the last digits of float32."""


def probe_scores(integration: Integration, samples: dict[str, Samples], note: Note) -> None:
    """Infer some samples of each state, and run what the integration test wires."""
    description = integration.description
    try:
        predictor = integration.predictor()
    except LeaplabError as error:
        note(Topic.MODEL_LOAD, "model", str(error))
        return
    for state, found in samples.items():
        usable = {sample_id: sample for sample_id, sample in found.items() if _stackable(sample, description)}
        if not usable:
            continue
        batch = _batch(state, usable)
        if description.instances:
            batch.instances = [integration.instance_count(state, sample_id) for sample_id in usable]
        inferred, flaws = probe_inference(predictor, description, batch)
        for flaw in flaws:
            note(flaw.topic, flaw.name, flaw.text)
        # An output without a batch axis says nothing of the handlers that take others.
        if inferred is None or any(flaw.ends or flaw.topic != Topic.MODEL_BATCH for flaw in flaws):
            return
        _probe_wiring(integration, note)
        batch.predictions = inferred.outputs
        probed = [batch]
        if inferred.unbatched and predictor.fixed_batch == 1:  # as an evaluation gives it to the handlers
            probed = list(_singles(batch))
            for one in probed:
                one.predictions = infer(predictor, description, one).outputs
        for each in probed:
            _probe_handlers(integration, each, note)


def _probe_handlers(integration: Integration, batch: Batch, note: Note) -> None:
    description = integration.description
    for node in description.losses:
        _probe_score(integration, "loss", node, batch, note)
    for node in description.metrics:
        _probe_score(integration, "metric", node, batch, note)
    for node in description.instance_metrics:
        _probe_score(integration, "instance metric", node, batch, note)
    for node in description.visualizers:
        _probe_visualizer(integration, node, batch, note)


def _probe_wiring(integration: Integration, note: Note) -> None:
    description = integration.description
    scores = (*description.losses, *description.metrics, *description.instance_metrics)
    nodes = (*scores, *description.visualizers)
    used = {source.index for node in nodes for source in node.arguments.values() if source.kind == "prediction"}
    for index, prediction in enumerate(description.predictions):
        if index not in used | integration.latent_predictions:
            note(Topic.PREDICTION_UNUSED, prediction.name, f"Prediction '{prediction.name}' feeds nothing")


def _probe_score(integration: Integration, kind: Kind, node: Node, batch: Batch, note: Note) -> None:
    arguments = batch.arguments(node)
    if arguments is None:
        return
    column = f"{kind.capitalize()} '{node.column}'"
    before = {name: array.copy() for name, array in arguments.items()}
    whole = _tried(lambda: score_node(integration, kind, node, batch), Topic(f"{kind}.raises"), node, note)
    changed = [name for name in before if not np.array_equal(arguments[name], before[name], equal_nan=True)]
    if changed:
        note(Topic.SCORE_MUTATES, node.handler, f"{column} changes its argument '{changed[0]}' in place")
        for name in changed:  # the next handler is to be judged by what it would get
            arguments[name][...] = before[name]
        return
    if whole is None:
        return
    # An instance metric has no other word than NaN for an instance to which it does not apply.
    for result, values in whole.columns.items():
        if any(value is not None and not np.isfinite(value) for value in values):
            note(Topic.SCORE_FINITE, node.handler, f"{column} gives NaN or infinity for a sample ({result})")
    if not _probe_singles(integration, kind, node, batch, whole, note):
        return
    half = _tried(lambda: score_node(integration, kind, node, batch, float16=True), Topic.SCORE_FLOAT16, node, note)
    if half is None:
        return
    for result, samples in _by_sample(whole).items():
        halves = _by_sample(half).get(result, [[None] * len(values) for values in samples])
        for value, rounded in zip(chain(*samples), chain(*halves)):
            if value is not None and np.isfinite(value) and (rounded is None or not np.isfinite(rounded)):
                text = f"{column} gives {rounded} for float16 arguments, and {value:g} for float32 ({result})"
                note(Topic.SCORE_FLOAT16, node.handler, text)


def _by_sample(scores: Scores) -> dict[str, list[list[float | None]]]:
    """Column -> for each sample its value, or those of its instances."""
    found = {column: [[value] for value in values] for column, values in scores.columns.items()}
    return {**found, **scores.instances}


def _probe_singles(integration: Integration, kind: Kind, node: Node, batch: Batch, whole: Scores, note: Note) -> bool:
    """Whether a handler gives for each sample alone what it gives for it in the batch."""
    for position, one in enumerate(_singles(batch)):
        single = _tried(lambda one=one: score_node(integration, kind, node, one), Topic(f"{kind}.raises"), node, note)  # type: ignore[misc]
        if single is None:
            return False
        singly = _by_sample(single)
        for result, samples in _by_sample(whole).items():
            (values,) = singly.get(result, [samples[position]])
            for alone, together in zip(values, samples[position]):
                if not _close(alone, together):
                    text = (
                        f"{kind.capitalize()} '{node.column}' gives {together} for a sample in a batch of"
                        f" {len(samples)}, and {alone} for it alone"
                    )
                    note(Topic.SCORE_BATCH, node.handler, text)
                    return False
    return True


def _probe_visualizer(integration: Integration, node: Node, batch: Batch, note: Note) -> None:
    for one in _singles(batch):
        arguments = one.arguments(node)
        if arguments is None:
            return
        try:
            result = integration.run_visualizer(node, one.state, one.ids[0], arguments)
        except LeaplabError as error:
            note(Topic.VISUALIZER_RAISES, node.handler, str(error))
            return
        if type(result).__name__ != f"Leap{node.type}":
            text = f"Visualizer '{node.column}' is declared {node.type} but returns a {type(result).__name__}"
            note(Topic.VISUALIZER_TYPE, node.handler, text)
            return
        _probe_picture(node, result, note)


def _probe_picture(node: Node, result: Any, note: Note) -> None:
    image = result.data if node.type in ("Image", "ImageWithBBox") else getattr(result, "image", None)
    # A mask's image is stretched to its own range.
    if isinstance(image, np.ndarray) and node.type != "ImageMask" and image.dtype.kind == "f" and image.size:
        finite = image[np.isfinite(image)]
        if finite.size and finite.min() >= 0 and 0 < finite.max() <= 1:
            note(
                Topic.VISUALIZER_DARK,
                node.handler,
                f"Visualizer '{node.column}' returns an image in [0, {image.max():.3g}]",
            )
    # Boxes of a point cloud are in its own frame.
    for box in result.bounding_boxes if node.type == "ImageWithBBox" else ():
        if not all(0 <= value <= 1 for value in (box.x, box.y, box.width, box.height)):
            text = f"Visualizer '{node.column}' returns a box ({box.x:g}, {box.y:g}, {box.width:g}, {box.height:g})"
            note(Topic.VISUALIZER_BOX, node.handler, text)
            return


def _tried(run: Callable[[], Scores], topic: Topic, node: Node, note: Note) -> Scores | None:
    try:
        return run()
    except LeaplabError as error:
        note(topic, node.handler, str(error))
        return None


def _batch(state: str, samples: Samples) -> Batch:
    rows = list(samples.values())
    inputs = {name: np.stack([row.inputs[name] for row in rows]) for name in rows[0].inputs}
    truths = {name: np.stack([row.ground_truths[name] for row in rows]) for name in rows[0].ground_truths}
    return Batch(state, list(samples), inputs, truths)


def _singles(batch: Batch) -> Iterator[Batch]:
    for row, sample_id in enumerate(batch.ids):
        one = slice(row, row + 1)
        yield Batch(
            batch.state,
            [sample_id],
            {name: array[one] for name, array in batch.inputs.items()},
            {name: array[one] for name, array in batch.ground_truths.items()},
            [None if array is None else array[one] for array in batch.predictions],
            batch.instances[one],
        )


def _stackable(sample: Sample, description: Description) -> bool:
    """Whether its inputs can be put to the model, and stacked."""
    shapes = {spec.name: spec.shape for spec in description.inputs}
    truths = {spec.name: spec.shape for spec in description.ground_truths}
    return all(
        _fits(array, shapes[name]) and np.isfinite(array).all() for name, array in sample.inputs.items()
    ) and all(_fits(array, truths[name]) for name, array in sample.ground_truths.items())


def _fits(array: Array, shape: tuple[int, ...]) -> bool:
    # code-loader reports a scalar's shape as [1].
    return array.shape == shape or (array.shape == () and shape == (1,))


def _close(alone: float | None, together: float | None) -> bool:
    if alone is None or together is None:
        return alone is together
    return bool(np.isclose(alone, together, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
