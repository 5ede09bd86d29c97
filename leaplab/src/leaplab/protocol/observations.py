"""What a probe sees, as plain data that crosses the process boundary."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum


class Topic(str, Enum):
    """What an observation is about. A rule asks for these: a name that is not among them raises."""

    HANDLER_RAISES = "handler.raises"
    """A handler's failure where no other topic fits: its own code raised."""
    HANDLER_RANDOM = "handler.random"
    IDS_TWICE = "ids.twice"
    IDS_SHARED = "ids.shared"
    IDS_INTEGERS = "ids.integers"
    IDS_LONG = "ids.long"
    IDS_TYPE = "ids.type"
    ENCODER_DTYPE = "encoder.dtype"
    ENCODER_ARRAY = "encoder.array"
    ENCODER_SHAPE = "encoder.shape"
    ENCODER_FINITE = "encoder.finite"
    ENCODER_CONSTANT = "encoder.constant"
    ENCODER_BATCHED = "encoder.batched"
    GROUND_TRUTH_FLOAT16 = "ground-truth.float16"
    LATENT = "latent"
    INSTANCE_MASK = "instance.mask"
    INSTANCE_SHAPE = "instance.shape"
    SIMULATION = "simulation"
    METADATA_NAN = "metadata.nan"
    METADATA_FAKE = "metadata.fake"
    METADATA_KEYS = "metadata.keys"
    METADATA_LIMITS = "metadata.limits"
    METADATA_TYPE = "metadata.type"
    METADATA_TEXT = "metadata.text"
    METADATA_LARGE = "metadata.large"
    METADATA_UNDECLARED = "metadata.undeclared"
    METADATA_DOMAIN = "metadata.domain"
    MODEL_LOAD = "model.load"
    MODEL_RUN = "model.run"
    MODEL_OUTPUTS = "model.outputs"
    MODEL_LABELS = "model.labels"
    MODEL_BATCH = "model.batch"
    MODEL_FINITE = "model.finite"
    PREDICTION_UNUSED = "prediction.unused"
    LOSS_RAISES = "loss.raises"
    METRIC_RAISES = "metric.raises"
    INSTANCE_METRIC_RAISES = "instance metric.raises"
    SCORE_BATCH = "score.batch"
    SCORE_FLOAT16 = "score.float16"
    SCORE_FINITE = "score.finite"
    SCORE_MUTATES = "score.mutates"
    VISUALIZER_RAISES = "visualizer.raises"
    VISUALIZER_TYPE = "visualizer.type"
    VISUALIZER_DARK = "visualizer.dark"
    VISUALIZER_BOX = "visualizer.box"


@dataclass(frozen=True)
class Observation:
    """Something that was seen.

    Attributes:
        topic: which rule it is for; a `Topic`, of which the plain text crosses the wire.
        name: the handler's name.
        text: a sentence.
    """

    topic: str
    name: str
    text: str


@dataclass
class Probe:
    """All observations, and what was probed.

    Attributes:
        ids: state -> how many sample ids it has, and their sha256.
        losses: that the integration test calls.
        untried: a sentence for each thing that could not be tried, and why.
    """

    observations: list[Observation] = field(default_factory=list)
    samples: int = 0
    ids: dict[str, tuple[int, str]] = field(default_factory=dict)
    has_integration_test: bool = True
    losses: int = 0
    untried: list[str] = field(default_factory=list)

    def note(self, topic: str, name: str, text: str) -> None:
        """Add an observation, one a topic and handler: the same fault on ten samples is one finding.

        Raises:
            ValueError: there is no such topic, and so no rule that would tell of it.
        """
        known = Topic(topic)
        if not any(seen.topic == known and seen.name == name for seen in self.observations):
            self.observations.append(Observation(known.value, name, text))


def handler_in(text: str) -> str:
    """The handler that a sentence begins with, as in "Input 'image' on sample ..."; empty where none does."""
    found = re.match(r"(?:Input |Ground truth |Metadata )?'([^']+)'", text)
    return found[1] if found else ""
