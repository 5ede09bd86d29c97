"""One file that a person sends to a colleague: what the run shows, without a server and without a network."""
