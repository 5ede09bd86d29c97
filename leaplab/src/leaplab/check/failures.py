"""What code-loader says when it refuses something, sorted by what the rules are about.

code-loader raises one kind of exception for everything; only the text tells a wrong dtype from a crash.
"""

import re

from leaplab.check.source import ENCODERS
from leaplab.protocol.observations import Topic
from leaplab.protocol.script_failure import place

TOPICS: tuple[tuple[str, Topic], ...] = (
    (r"numpy array of type float32", Topic.ENCODER_DTYPE),
    (
        r"Should be a numpy array|returned multiple outputs|The function returned None|expected a single np",
        Topic.ENCODER_ARRAY,
    ),
    (r"return the same keys", Topic.METADATA_KEYS),
    (r"is None and (no metadata type|metadata type is not a dict)", Topic.METADATA_UNDECLARED),
    (r"[Mm]etadata (function|keys) are not allowed", Topic.METADATA_LIMITS),
    (r"Domain gap metadata", Topic.METADATA_DOMAIN),
    (r"Unsupported return type|(Values|Keys) in the return dict|it is declared int but returned", Topic.METADATA_TYPE),
    (r"custom latent space|tensorleap_custom_latent_space validation failed", Topic.LATENT),
    (r"Sample id are too long", Topic.IDS_LONG),
    (r"\bits mask (is|holds) ", Topic.INSTANCE_MASK),
)


def topic_of(text: str, otherwise: Topic | None = None) -> Topic | None:
    """The topic that an error's text is about, or `otherwise`."""
    return next((topic for pattern, topic in TOPICS if re.search(pattern, text, re.IGNORECASE)), otherwise)


def decorators_of(topic: Topic) -> tuple[str, ...]:
    """Those of the functions that a topic is about."""
    if topic in (Topic.ENCODER_DTYPE, Topic.ENCODER_ARRAY):
        return ENCODERS
    return ("tensorleap_custom_latent_space",) if topic is Topic.LATENT else ("tensorleap_metadata",)


def place_in(text: str) -> str:
    """file:line of the integration's own code that a sentence of leaplab names in brackets; empty where none does."""
    found = re.search(r"\((\S+?),? line (\d+)(?:, in [^)]*)?\)\.?$", text)
    return place(found[1], int(found[2])) if found else ""
