"""Encode, infer, score: from an integration to the columns and latent vectors of a run."""
