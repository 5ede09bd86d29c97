"""The command line."""

from leaplab.cli import analyses, chart, domain_gap, heatmap, lists, predict_loss, report, tune
from leaplab.cli.commands import main

__all__ = ["analyses", "chart", "domain_gap", "heatmap", "lists", "main", "predict_loss", "report", "tune"]
