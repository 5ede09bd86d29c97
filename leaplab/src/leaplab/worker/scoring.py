"""Losses and metrics of one batch, run along the wiring and brought into columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Node
from leaplab.protocol.results import Confusion
from leaplab.worker.batch import Batch
from leaplab.worker.code_loader_access import as_float16, positive_outcome
from leaplab.worker.wanted import EVERYTHING, Wanted
from leaplab.worker.whereabouts import HERE

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Array = NDArray[Any]
Kind = Literal["loss", "metric", "instance metric"]


@dataclass
class Scores:
    """One batch's results.

    Attributes:
        columns: column -> [B] float64 (NaN stays NaN; None where not computed).
        confusion: by column.
        instances: column of an instance metric -> for each sample one value an instance, as in `columns`.
    """

    columns: dict[str, list[float | None]] = field(default_factory=dict)
    confusion: dict[str, Confusion] = field(default_factory=dict)
    instances: dict[str, list[list[float | None]]] = field(default_factory=dict)


def score(integration: Integration, batch: Batch, float16: bool, wanted: Wanted = EVERYTHING) -> Scores:
    """Run the wired losses and metrics that are wanted on a batch, those of instances where it has instances.

    Raises:
        LeaplabError: a handler raised, or returned something else than one value a sample.
    """
    description = integration.description
    scores = Scores()
    kinds: tuple[tuple[Kind, tuple[Node, ...]], ...] = (
        ("loss", description.losses if wanted.losses else ()),
        ("metric", description.metrics if wanted.metrics else ()),
        ("instance metric", description.instance_metrics if wanted.metrics and batch.instances else ()),
    )
    for kind, nodes in kinds:
        for node in nodes:
            found = score_node(integration, kind, node, batch, float16)
            scores.columns.update(found.columns)
            scores.confusion.update(found.confusion)
            scores.instances.update(found.instances)
    return scores


def score_node(integration: Integration, kind: Kind, node: Node, batch: Batch, float16: bool = False) -> Scores:
    """Run one handler of a kind on a batch; nothing where it needs a ground truth that the state has not.

    Raises:
        LeaplabError: it raised, or returned something else than one value a sample (and instance number).
    """
    scores = Scores()
    arguments = batch.arguments(node)
    if arguments is None:
        return scores
    runs = {
        "loss": integration.run_loss,
        "metric": integration.run_metric,
        "instance metric": integration.run_instance_metric,
    }
    HERE.note(f"{kind} '{node.column}'")
    result = runs[kind](node, batch.state, batch.ids, as_float16(arguments) if float16 else arguments)
    if kind == "instance metric":
        scores.instances[f"metric.{node.column}"] = _instance_values(f"{kind}.{node.column}", result, batch)
    else:
        _collect(scores, f"{kind}.{node.column}", result, len(batch.ids))
    return scores


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


def _instance_values(column: str, result: Any, batch: Batch) -> list[list[float | None]]:
    """For each sample, the values of its instances; what is given for numbers that it does not have is left out."""
    if not isinstance(result, dict):
        raise LeaplabError(
            f"{_named(column)} returned a {type(result).__name__}; return a dictionary of instance number ->"
            " one value a sample."
        )
    by_number: dict[int, list[float | None]] = {}
    for number, values in result.items():
        if not isinstance(number, int) or number < 0:
            raise LeaplabError(
                f"{_named(column)} returned the key {number!r}; its keys must be instance numbers, 0, 1, ..."
            )
        by_number[number] = _values(f"{column}[{number}]", values, len(batch.ids))
    absent: list[float | None] = [None] * len(batch.ids)
    return [
        [by_number.get(number, absent)[offset] for number in range(count)]
        for offset, count in enumerate(batch.instances)
    ]


def _require_length(column: str, length: int, size: int) -> None:
    if length != size:
        raise LeaplabError(
            f"{_named(column)} returned {length} values for a batch of {size} samples; return one value a sample."
        )


def _named(column: str) -> str:
    kind, name = column.split(".", 1)
    return f"{kind.capitalize()} '{name}'"


def _confusion(result: list[list[Any]]) -> Confusion:
    elements, positive = [element for row in result for element in row], positive_outcome()
    return Confusion(
        offset=[offset for offset, row in enumerate(result) for _ in row],
        label=[element.label for element in elements],
        expected=[element.expected_outcome is positive for element in elements],
        probability=[float(element.predicted_probability) for element in elements],
        id=[str(getattr(element, "id", "")) for element in elements],  # an older code-loader's have none
    )
