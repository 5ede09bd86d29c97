"""Monocular depth: rooms, scores and drawings."""
