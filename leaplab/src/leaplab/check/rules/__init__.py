"""The rules, by what they look at. Importing the modules fills the catalogue."""

from leaplab.check.rules import (
    binding,
    bundle,
    handlers,
    integration_test,
    metadata,
    preprocess,
    project,
    scores,
    source,
)

__all__ = [
    "binding",
    "bundle",
    "handlers",
    "integration_test",
    "metadata",
    "preprocess",
    "project",
    "scores",
    "source",
]
