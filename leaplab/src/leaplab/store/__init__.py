"""A run's folder: manifest, Parquet parts, latent arrays. Read through DuckDB."""
