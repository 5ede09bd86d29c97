"""What a heat-map is of: one or some numbers that an integration's wiring, or the model, says of an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.protocol.description import Description, Node, PredictionSpec
from leaplab.protocol.explaining import Target
from leaplab.worker.batch import Batch
from leaplab.worker.explaining.detections import class_target, detection_target
from leaplab.worker.model import Array, Feature, latent_vectors
from leaplab.worker.scoring import Kind, score_node

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Measure = Callable[[Batch, Sequence[Feature]], NDArray[np.float64]]
"""Of B outputs for one sample, with its inputs and ground truths, [B, K]; NaN where it is no number."""


class Measured:
    """A target of one sample.

    Args:
        measure: its numbers.
        needs: wired handlers that run to measure it.
        sample: a batch of one.

    Attributes:
        names: of its K numbers.
        dense: it is one of many numbers that a dense output holds, such as the score of a detection.
        takes_features: it is of what feeds the model's head, and not of its outputs.
        bytes: that the handlers take of a sample, beside what the model says of it.
    """

    def __init__(
        self,
        names: Sequence[str],
        measure: Measure,
        needs: Sequence[Node],
        sample: Batch,
        dense: bool = False,
        takes_features: bool = False,
    ) -> None:
        self.names, self._measure, self.dense = tuple(names), measure, dense
        self.takes_features = takes_features
        self._needs = {(source.kind, source.name) for node in needs for source in node.arguments.values()}
        given = {"input": sample.inputs, "ground_truth": sample.ground_truths}
        self.bytes = sum(given[kind][name].nbytes for kind, name in self._needs if kind in given)

    def repeated(self, sample: Batch, rows: int, predictions: Sequence[Array | None]) -> Batch:
        """The sample, as often as there are predictions: what is changed the model sees, and the handlers do not."""
        return Batch(
            sample.state,
            [*sample.ids] * rows,
            {n: np.repeat(a, rows, axis=0) for n, a in sample.inputs.items() if ("input", n) in self._needs},
            {
                n: np.repeat(a, rows, axis=0)
                for n, a in sample.ground_truths.items()
                if ("ground_truth", n) in self._needs
            },
            list(predictions),
            [*sample.instances] * rows,
        )

    def of(self, batch: Batch, features: Sequence[Feature]) -> NDArray[np.float64]:
        """[B, K] of a batch that repeats the sample."""
        found = np.asarray(self._measure(batch, features), np.float64)
        return found if found.ndim == 2 else found[:, None]

    def of_outputs(
        self, sample: Batch, predictions: Sequence[Array | None], features: Sequence[Feature]
    ) -> NDArray[np.float64]:
        """[B, K] of what the model says of B changes of the sample."""
        rows = next(len(each) for each in predictions if each is not None)
        return self.of(self.repeated(sample, rows, predictions), features)


def measured(integration: Integration, target: Target, sample: Batch) -> Measured:
    """Make a target of one sample ready to be measured.

    Args:
        sample: a batch of one, with its predictions.

    Raises:
        LeaplabError: there is no such loss, metric, class, instance or detection, or the sample has no ground truth for
            it.
    """
    description = integration.description
    if target.kind == "loss":
        nodes = _losses(description, target.name)
        _require_truth(nodes, sample, f"loss:{target.name}" if target.name else "loss")
        named = f"loss:{target.name}" if target.name else "loss"
        return Measured([named], lambda batch, _: _scored(integration, "loss", nodes, batch, None), nodes, sample)
    if target.kind == "metric":
        node = _metric(description, target.name)
        _require_truth([node], sample, f"metric:{target.name}")
        column = f"metric.{target.name}"
        return Measured(
            [f"metric:{target.name}"],
            lambda batch, _: _scored(integration, "metric", [node], batch, column),
            [node],
            sample,
        )
    if target.kind == "instance":
        return _instance(integration, target.name, sample)
    if target.kind == "class":
        return _classes(integration, target.name, sample)
    if target.kind == "similar":
        return _similar(target, sample)
    if target.kind == "detection":
        names, measure, needs = detection_target(integration, target, sample)
        return Measured(names, measure, needs, sample, dense=True)
    raise QuestionError(
        f"A heat-map is of loss, class, metric, instance, similar or detection, not of '{target.kind}'."
    )


def _losses(description: Description, name: str) -> list[Node]:
    if not description.losses:
        raise MissingError(f"The integration wires no loss, so that no heat-map is of it{_instead(description)}")
    if not name:
        return list(description.losses)
    found = [node for node in description.losses if node.column == name]
    if not found:
        known = ", ".join(node.column for node in description.losses)
        raise MissingError(f"The integration has no loss '{name}'; it has {known}.")
    return found


def _instead(description: Description) -> str:
    return "; take a class by --of class:NAME." if any(p.labels for p in description.predictions) else "."


def _metric(description: Description, name: str) -> Node:
    # The column of a metric that gives several is followed by the key.
    found = [n for n in description.metrics if name == n.column or name.startswith(f"{n.column}_")]
    if not found:
        known = ", ".join(node.column for node in description.metrics) or "none"
        raise MissingError(f"The integration has no metric '{name}'; it has {known}.")
    return max(found, key=lambda node: len(node.column))


def _require_truth(nodes: Sequence[Node], sample: Batch, of: str) -> None:
    for node in nodes:
        if sample.arguments(node) is None:
            raise QuestionError(
                f"Sample '{sample.ids[0]}' of {sample.state} has no ground truth, which '{node.column}' needs, so that"
                f" no heat-map of {of} can be drawn; take a class or a labelled sample."
            )


def _scored(
    integration: Integration, kind: Kind, nodes: Sequence[Node], batch: Batch, column: str | None
) -> NDArray[np.float64]:
    total = np.zeros(len(batch.ids))
    for node in nodes:
        found = score_node(integration, kind, node, batch).columns
        if column is not None:
            if column not in found:
                known = ", ".join(name.partition(".")[2] for name in found) or "no single value"
                name = column.partition(".")[2]
                raise MissingError(f"There is no metric '{name}' of one value a sample; '{node.column}' gives {known}.")
            found = {column: found[column]}
        for values in found.values():
            total = total + np.array([np.nan if value is None else value for value in values], np.float64)
    return total


def _instance(integration: Integration, name: str, sample: Batch) -> Measured:
    """A metric of one element instance of the sample."""
    description = integration.description
    known = ", ".join(node.column for node in description.instance_metrics)
    if not description.instances:
        raise MissingError(
            "The integration tells no element instances apart (tensorleap_element_instance_preprocess), so that no"
            " heat-map is of one; take a loss, a metric or a class."
        )
    if not known:
        raise MissingError(
            "The integration has no metric of element instances (tensorleap_custom_instances_metric), which a heat-map"
            " of one would follow; write one."
        )
    number, colon, metric = name.partition(":")
    if not number.isdigit() or (colon and not metric):
        raise QuestionError(f"An element instance has a number from 0 on, not '{name}'; write instance:0.")
    nodes = [node for node in description.instance_metrics if metric in ("", node.column)]
    if not nodes:
        raise MissingError(f"The integration has no metric '{metric}' of element instances; it has {known}.")
    if len(nodes) > 1:
        raise QuestionError(f"Element instances have several metrics ({known}); name one: instance:{number}:NAME.")
    (node,) = nodes
    count = integration.instance_count(sample.state, sample.ids[0])
    if int(number) >= count:
        those = f"{count} element instances, from 0 on" if count != 1 else "one element instance, 0"
        raise MissingError(
            f"There is no element instance {number}: '{sample.ids[0]}' has {those if count else 'none at all'}."
        )
    _require_truth([node], sample, f"instance:{name}")
    sample.instances = [count]

    def values(batch: Batch) -> list[float | None]:
        found = score_node(integration, "instance metric", node, batch).instances.get(f"metric.{node.column}", [])
        return [each[int(number)] for each in found]

    def measure(batch: Batch, _: Sequence[Feature]) -> NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values(batch)], np.float64)

    if values(sample) == [None]:
        raise MissingError(
            f"'{node.column}' gives no value for element instance {number} of '{sample.ids[0]}', so that no heat-map is"
            " of it; take another."
        )

    dense = any(each is not None and each.ndim > 2 for each in sample.predictions)
    return Measured([f"instance:{name}"], measure, [node], sample, dense=dense)


def _classes(integration: Integration, name: str, sample: Batch) -> Measured:
    """One class of the first output that names it, or all of the first that has labels.

    Of an output of many positions it is the mean over them; of the rows of a detector, the sum of the confidences of
    the boxes of that class.
    """
    description = integration.description
    labelled = [(place, p) for place, p in enumerate(description.predictions) if p.labels]
    if name == "all":
        if not labelled:
            raise MissingError("No prediction type of the integration names its classes; name one by its number.")
        place, prediction = labelled[0]
        numbers = list(range(len(prediction.labels)))
        labels = list(prediction.labels)
    else:
        place, prediction, number = _class(description, labelled, name)
        numbers, labels = [number], [prediction.labels[number] if prediction.labels else name]
    axis = prediction.channel_dim
    output = sample.predictions[place] if place < len(sample.predictions) else None
    if output is None:
        raise LeaplabError(f"The output '{prediction.name}' has no batch axis, so that no class of it can be followed.")

    if output.ndim == 3 and name != "all" and (of_boxes := class_target(integration, labels[0], sample)):
        return Measured(labels, *of_boxes, sample, dense=True)

    def measure(batch: Batch, _: Sequence[Feature]) -> NDArray[np.float64]:
        found = batch.predictions[place]
        assert found is not None
        last = np.moveaxis(np.asarray(found, np.float64), axis, -1)[..., numbers]
        mean: NDArray[np.float64] = last.reshape(len(last), -1, len(numbers)).mean(axis=1)
        return mean

    return Measured(labels, measure, (), sample, dense=output.ndim > 2)


def _class(
    description: Description, labelled: Sequence[tuple[int, PredictionSpec]], name: str
) -> tuple[int, PredictionSpec, int]:
    for place, prediction in labelled:
        if name in prediction.labels:
            return place, prediction, prediction.labels.index(name)
    if name.isdigit() and not labelled and description.predictions:
        return 0, description.predictions[0], int(name)
    if name.isdigit() and labelled and int(name) < len(labelled[0][1].labels):
        return labelled[0][0], labelled[0][1], int(name)
    known = ", ".join(label for _, prediction in labelled for label in prediction.labels[:20])
    raise MissingError(f"There is no class '{name}'; the model has {known or 'no named classes'}.")


def _similar(target: Target, sample: Batch) -> Measured:
    reference = np.asarray(target.reference, np.float64).reshape(-1)
    length = float(np.linalg.norm(reference))

    def measure(batch: Batch, features: Sequence[Feature]) -> NDArray[np.float64]:
        vectors = latent_vectors(features, len(batch.ids))
        if vectors is None:
            raise LeaplabError("The model gives no latent vectors, so that nothing says what is similar.")
        if vectors.shape[1] != len(reference):
            raise LeaplabError(
                f"The latent vectors of the run have {len(reference)} values and the model's {vectors.shape[1]};"
                " evaluate the run again."
            )
        own = vectors.astype(np.float64)
        lengths = np.linalg.norm(own, axis=1) * length
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(own @ reference / lengths)

    return Measured([f"similar:{target.name}"], measure, (), sample, takes_features=True)
