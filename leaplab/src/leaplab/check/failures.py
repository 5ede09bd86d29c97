"""What code-loader says when it refuses something, sorted by what the rules are about.

code-loader raises one kind of exception for everything; only the text tells a wrong dtype from a crash.
"""

import re

from leaplab.check.source import ENCODERS

TOPICS: tuple[tuple[str, str], ...] = (
    (r"numpy array of type float32", "encoder.dtype"),
    (
        r"Should be a numpy array|returned multiple outputs|The function returned None|expected a single np",
        "encoder.array",
    ),
    (r"return the same keys", "metadata.keys"),
    (r"is None and (no metadata type|metadata type is not a dict)", "metadata.undeclared"),
    (r"[Mm]etadata (function|keys) are not allowed", "metadata.limits"),
    (r"Domain gap metadata", "metadata.domain"),
    (r"Unsupported return type|(Values|Keys) in the return dict|it is declared int but returned", "metadata.type"),
    (r"custom latent space|tensorleap_custom_latent_space validation failed", "latent"),
    (r"Sample id are too long", "ids.long"),
    (r"\bits mask (is|holds) ", "instance.mask"),
)


def topic_of(text: str, otherwise: str) -> str:
    """The topic that an error's text is about, or `otherwise`."""
    return next((topic for pattern, topic in TOPICS if re.search(pattern, text, re.IGNORECASE)), otherwise)


def decorators_of(topic: str) -> tuple[str, ...]:
    """Those of the functions that a topic is about."""
    if topic.startswith("encoder"):
        return ENCODERS
    return ("tensorleap_metadata",) if topic.startswith("metadata") else ("tensorleap_custom_latent_space",)


def place_in(text: str) -> str:
    """file:line of the integration's own code that a sentence of leaplab names in brackets; empty where none does."""
    found = re.search(r"\((\S+?),? line (\d+)(?:, in [^)]*)?\)\.?$", text)
    return f"{found[1]}:{found[2]}" if found else ""
