"""Where the digits come from."""
