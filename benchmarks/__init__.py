"""Side-by-side timings: `make bench`. Ratios of one run are figures; seconds are of the machine that ran it."""
