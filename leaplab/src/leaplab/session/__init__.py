"""Starts an integration's process in its interpreter, speaks to it, and ends it."""
