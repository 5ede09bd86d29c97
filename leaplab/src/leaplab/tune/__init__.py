"""Fits the parameters of an integration's simulation to a target population of a run."""
