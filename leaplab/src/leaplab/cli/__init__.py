"""The command line."""

from leaplab.cli.commands import main

__all__ = ["main"]
