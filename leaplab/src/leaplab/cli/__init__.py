"""The command line."""

from leaplab.cli import analyses
from leaplab.cli.commands import main

__all__ = ["analyses", "main"]
