"""A package of this name may be installed: this file makes ours the one that is found first."""
