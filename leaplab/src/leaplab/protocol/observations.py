"""What a probe sees, as plain data that crosses the process boundary."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

RAISES = "handler.raises"
"""Topic of a handler's failure where no other topic fits: its own code raised."""


@dataclass(frozen=True)
class Observation:
    """Something that was seen.

    Attributes:
        topic: which rule it is for.
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
    """

    observations: list[Observation] = field(default_factory=list)
    samples: int = 0
    ids: dict[str, tuple[int, str]] = field(default_factory=dict)
    has_integration_test: bool = True
    losses: int = 0

    def note(self, topic: str, name: str, text: str) -> None:
        """Add an observation, one a topic and handler: the same fault on ten samples is one finding."""
        if not any(known.topic == topic and known.name == name for known in self.observations):
            self.observations.append(Observation(topic, name, text))


def handler_in(text: str) -> str:
    """The handler that a sentence begins with, as in "Input 'image' on sample ..."; empty where none does."""
    found = re.match(r"(?:Input |Ground truth |Metadata )?'([^']+)'", text)
    return found[1] if found else ""
