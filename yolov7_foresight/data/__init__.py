"""The frames and their labels."""
