"""What of the samples an evaluation computes: everything, or some of their columns again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from leaplab.protocol.description import Description, Node


@dataclass(frozen=True)
class Wanted:
    """Which handlers run.

    Attributes:
        everything: all of them; what a sample's vectors, predictions and input properties are made of, too.
        metadata: metadata functions, of samples and of element instances.
        losses: losses.
        metrics: metrics, of samples and of element instances.
        model: whether a loss or metric that runs takes a prediction.
        ground_truths: encoders of ground truths, where tensors are needed at all.
    """

    everything: bool = True
    metadata: bool = True
    losses: bool = True
    metrics: bool = True
    model: bool = True
    ground_truths: bool = True

    @property
    def tensors(self) -> bool:
        """Whether a sample's inputs and ground truths are needed."""
        return self.losses or self.metrics

    def nodes(self, description: Description) -> list[Node]:
        """The losses and metrics that run."""
        nodes = list(description.losses) if self.losses else []
        return [*nodes, *description.metrics, *description.instance_metrics] if self.metrics else nodes


EVERYTHING = Wanted()


def wanted(only: Sequence[str], description: Description) -> Wanted:
    """What runs for some groups of columns, `metadata`, `loss` and `metric`; for none given, everything."""
    if not only:
        return EVERYTHING
    asked = Wanted(False, "metadata" in only, "loss" in only, "metric" in only, False)
    sources = (source for node in asked.nodes(description) for source in node.arguments.values())
    takes_prediction = any(source.kind not in ("input", "ground_truth") for source in sources)
    return Wanted(False, asked.metadata, asked.losses, asked.metrics, takes_prediction)
