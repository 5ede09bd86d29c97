"""Pure functions over a run's columns and latent vectors."""
