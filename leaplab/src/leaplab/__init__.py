"""A local laboratory for any Tensorleap integration."""
