"""Losses, metrics and visualizers by task, in numpy: what two or more examples share."""
