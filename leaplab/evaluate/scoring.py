"""Losses and metrics of one batch, run along the wiring and brought into columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.integration.description import Description, Node, Source

Array = NDArray[Any]


@dataclass
class Batch:
    """Samples of one state on their way: encoders' arrays and, later, the model's outputs, all [B, ...].

    `ground_truths` is empty on the unlabeled state.
    """

    state: str
    ids: list[str | int]
    inputs: dict[str, Array]
    ground_truths: dict[str, Array]
    predictions: list[Array] = field(default_factory=list)

    def arguments(self, node: Node) -> dict[str, Array] | None:
        """The node's arguments; None where one needs a ground truth that this state has not."""
        if any(s.kind == "ground_truth" and s.name not in self.ground_truths for s in node.arguments.values()):
            return None
        return {argument: self._array(source, node) for argument, source in node.arguments.items()}

    def _array(self, source: Source, node: Node) -> Array:
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


@dataclass
class Confusion:
    """Confusion elements of one batch: `offset` is the sample's place in the batch."""

    offset: list[int] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    expected: list[bool] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)


@dataclass
class Scores:
    """One batch's results: column -> [B] float64 (NaN stays NaN; None where not computed), confusion by column."""

    columns: dict[str, list[float | None]] = field(default_factory=dict)
    confusion: dict[str, Confusion] = field(default_factory=dict)


def score(integration: Any, batch: Batch, float16: bool) -> Scores:
    """Run every wired loss and metric on a batch.

    Raises:
        LeaplabError: a handler raised, or returned something else than one value a sample.
    """
    description: Description = integration.description
    scores = Scores()
    for kind, nodes in (("loss", description.losses), ("metric", description.metrics)):
        for node in nodes:
            found = score_node(integration, kind, node, batch, float16)
            scores.columns |= found.columns
            scores.confusion |= found.confusion
    return scores


def score_node(integration: Any, kind: str, node: Node, batch: Batch, float16: bool = False) -> Scores:
    """Run one loss or metric (`kind`) on a batch; nothing where it needs a ground truth that the state has not.

    Raises:
        LeaplabError: it raised, or returned something else than one value a sample.
    """
    scores = Scores()
    arguments = batch.arguments(node)
    if arguments is not None:
        run = integration.run_loss if kind == "loss" else integration.run_metric
        result = run(node, batch.state, batch.ids, _as_float16(arguments) if float16 else arguments)
        _collect(scores, f"{kind}.{node.column}", result, len(batch.ids))
    return scores


def _as_float16(arguments: dict[str, Array]) -> dict[str, Array]:
    from code_loader.utils import simulate_engine_float16_downcast

    return {name: simulate_engine_float16_downcast(array) for name, array in arguments.items()}


def _collect(scores: Scores, column: str, result: Any, size: int) -> None:
    if isinstance(result, dict):
        for key, value in result.items():
            _collect(scores, f"{column}_{key}", value, size)
    elif isinstance(result, list) and result and isinstance(result[0], list):
        _require_length(column, len(result), size)
        scores.confusion[column] = _confusion(result)
    else:
        scores.columns[column] = _values(column, result, size)


def _values(column: str, result: Any, size: int) -> list[float | None]:
    if hasattr(result, "numpy"):  # a tensor of TensorFlow or torch, which code-loader accepts of older losses
        result = result.numpy()
    if isinstance(result, np.ndarray):
        if result.ndim > 1:
            raise LeaplabError(f"{_named(column)} returned shape {result.shape}, not one value a sample ({size},).")
        _require_length(column, result.size, size)
        return [*result.reshape(-1).astype(np.float64).tolist()]
    if not isinstance(result, Sequence) or isinstance(result, str):
        raise LeaplabError(f"{_named(column)} returned a {type(result).__name__}; return one value a sample.")
    _require_length(column, len(result), size)
    try:
        return [None if value is None else float(value) for value in result]
    except (TypeError, ValueError) as error:
        raise LeaplabError(f"{_named(column)} returned what is no number ({error}); return one a sample.") from error


def _require_length(column: str, length: int, size: int) -> None:
    if length != size:
        raise LeaplabError(
            f"{_named(column)} returned {length} values for a batch of {size} samples; return one value a sample."
        )


def _named(column: str) -> str:
    kind, name = column.split(".", 1)
    return f"{kind.capitalize()} '{name}'"


def _confusion(result: list[list[Any]]) -> Confusion:
    from code_loader.contract.enums import ConfusionMatrixValue

    elements = [element for row in result for element in row]
    return Confusion(
        offset=[offset for offset, row in enumerate(result) for _ in row],
        label=[element.label for element in elements],
        expected=[element.expected_outcome is ConfusionMatrixValue.Positive for element in elements],
        probability=[float(element.predicted_probability) for element in elements],
    )
