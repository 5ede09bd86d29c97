"""A Tensorleap integration in a process of its own: its states, handlers, wiring and model as plain data."""
