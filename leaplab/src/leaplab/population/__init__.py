"""A run as every analysis, the explorer and a notebook read it: columns and their meaning, vectors, selections."""
