"""The command line."""

from leaplab.cli import analyses, chart, domain_gap, evaluate, heatmap, lists, predict_loss, report, tune
from leaplab.cli.commands import main

__all__ = ["analyses", "chart", "domain_gap", "evaluate", "heatmap", "lists", "main", "predict_loss", "report", "tune"]
