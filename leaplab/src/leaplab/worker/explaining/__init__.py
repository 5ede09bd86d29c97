"""Heat-maps, in the integration's process: what is taken away, what runs on, and what becomes of the target."""
