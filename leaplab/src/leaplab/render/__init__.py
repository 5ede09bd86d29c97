"""Visualizers' objects -> PNG and JSON, for the explorer, reports and figures alike."""
