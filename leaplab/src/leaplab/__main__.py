"""`python -m leaplab`."""

from leaplab.cli import main

main()
