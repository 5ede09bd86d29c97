"""What crosses the wall between the lab and an integration's process: operations, plain data, and their form on a wire.

Python 3.8 and newer, standard library and numpy alone: both sides import it.
"""
