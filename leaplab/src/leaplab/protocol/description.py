"""What an integration declares, as plain data that crosses the process boundary and lies in a run's manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MetadataType = Literal["float", "int", "string", "boolean"]
Direction = Literal["upward", "downward"]


@dataclass(frozen=True)
class InputSpec:
    """An input encoder: the shape is that of one sample, without the batch axis."""

    name: str
    shape: tuple[int, ...]
    channel_dim: int


@dataclass(frozen=True)
class GroundTruthSpec:
    """A ground-truth encoder: the shape is that of one sample."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class MetadataSpec:
    """One metadata value a sample or instance; a sample's dictionary has a value a key, `handler_key`."""

    name: str
    type: MetadataType


@dataclass(frozen=True)
class PredictionSpec:
    """One output of the model, in the model's order."""

    name: str
    labels: tuple[str, ...]
    channel_dim: int


@dataclass(frozen=True)
class Source:
    """Where an argument of a handler comes from.

    Attributes:
        kind: which of the three.
        name: the encoder's name; empty for a prediction.
        index: the model's output, for a prediction.
    """

    kind: Literal["input", "ground_truth", "prediction"]
    name: str = ""
    index: int = 0


@dataclass(frozen=True)
class Node:
    """A loss, metric or visualizer with the sources of its arguments.

    Attributes:
        handler: the name under which code-loader knows the function.
        column: the unique name of this use of it.
        arguments: argument name -> source.
        directions: for a metric, by result key ("" for a metric that returns one array): which way is better.
        insights: for a metric, by result key: whether insights are to be drawn from it.
        type: for a visualizer, the LeapDataType's value.
    """

    handler: str
    column: str
    arguments: dict[str, Source]
    directions: dict[str, Direction] = field(default_factory=dict)
    insights: dict[str, bool] = field(default_factory=dict)
    type: str = ""


@dataclass(frozen=True)
class SimulationParameter:
    """What a parameter of a simulation may be.

    Attributes:
        type: of its values.
        low: the least value of a number; None for a text.
        high: the greatest, likewise; both ends may be taken.
        values: of a text.
    """

    name: str
    type: Literal["float", "int", "string"]
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class SimulationSpec:
    """A function that makes samples of parameters; its number of samples and its seed are none of these."""

    name: str
    parameters: tuple[SimulationParameter, ...]


@dataclass(frozen=True)
class Description:
    """Everything that an integration declares.

    Attributes:
        states: state -> number of samples, in code-loader's order.
        metadata: of samples. What code-loader adds for element instances is not among it.
        model_inputs: names of the inputs that the model takes, in its order.
        has_integration_test: without one there is no wiring: no losses, metrics or visualizers are run.
        instances: state -> number of element instances; empty where the integration has none.
        instance_metadata: one value an instance, by the keys that its masks encoder gives.
        instance_metrics: metrics that give one value an instance.
        code_sha256: of the integration's own source and settings files that a run has loaded.
        input_properties: what leaplab computes of the inputs -> its type.
        domain_gap_metadata: names of the metadata whose values are domains.
        ignored_latent_spaces: names of latent spaces that are not to be written.
        simulations: what makes samples on demand.
    """

    root: str
    entry_file: str
    states: dict[str, int]
    inputs: tuple[InputSpec, ...]
    ground_truths: tuple[GroundTruthSpec, ...]
    metadata: tuple[MetadataSpec, ...]
    predictions: tuple[PredictionSpec, ...]
    model_inputs: tuple[str, ...]
    losses: tuple[Node, ...]
    metrics: tuple[Node, ...]
    visualizers: tuple[Node, ...]
    has_integration_test: bool
    code_sha256: str
    instances: dict[str, int] = field(default_factory=dict)
    instance_metadata: tuple[MetadataSpec, ...] = ()
    instance_metrics: tuple[Node, ...] = ()
    input_properties: dict[str, str] = field(default_factory=dict)
    domain_gap_metadata: tuple[str, ...] = ()
    ignored_latent_spaces: tuple[str, ...] = ()
    simulations: tuple[SimulationSpec, ...] = ()
