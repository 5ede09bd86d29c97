"""The only `mnist` that this integration may see."""
