"""Where an integration lies: its folder, its leap.yaml, its entry file."""
